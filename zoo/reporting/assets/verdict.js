"use strict";

// The answer of each test set in three sentences.

function verdictSection() {
  const answers = element("div", { class: "answers" });
  const fill = () => answers.replaceChildren(...REPORT.boards.map(answer));
  watch(["set"], fill);
  fill();
  return [answers, list(REPORT.notes)];
}

function answer(board) {
  const { first, undecided, choice: cheapest } = board.verdict;
  const chosen = board === currentBoard();
  const open = button("Show this test set", () => {
    change({ set: board.key });
    document.getElementById("board").scrollIntoView();
  });
  return element(
    "article",
    { class: chosen ? "answer chosen" : "answer" },
    element("h3", {}, board.title),
    element("p", { class: "best" }, first),
    element("p", {}, undecided),
    element("p", {}, cheapest),
    stamp(board),
    REPORT.boards.length > 1 ? open : null,
  );
}
