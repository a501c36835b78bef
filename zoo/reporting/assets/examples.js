"use strict";

// From a cell of a confusion matrix to the test rows in it: their series, probabilities and patients.

function examplesOfCell() {
  const board = currentBoard();
  const row = currentRow();
  const [own, said] = (STATE.cell || "").split(",").map(Number);
  if (!row || !STATE.cell || !board.classes[own] || !board.classes[said]) return [];
  const found = row.examples.filter((each) => each.true === own && each.predicted === said);
  const title = `True class ${board.classes[own]}, predicted as ${board.classes[said]}`;
  const close = button("Close", () => change({ cell: "" }));
  const none = found.length ? null : element("p", {}, "No example of this cell is in the report.");
  const shown = found.map((example) => exampleNode(board, row, example));
  const heading = element("h3", { tabindex: "-1" }, title);
  return [element("div", { id: "examples" }, heading, close, none, element("div", { class: "answers" }, shown))];
}

function exampleNode(board, row, example) {
  const sample = board.samples[example.place];
  const seeds = `${example.votes} of ${count(row.ranked.seeds, "seed")}`;
  const where = sample
    ? [`row ${sample.row} of the data set`, sample.group && `${board.group_noun} ${sample.group}`]
    : [];
  const facts = [...where, `predicted so by ${seeds}`].filter(Boolean).join(", ");
  const series = sample ? seriesFigure(board, sample, facts) : element("p", {}, `${facts}; ${board.no_samples}`);
  return element("article", { class: "answer" }, series, probabilityText(board, example));
}

/** Return the probabilities of a row, the highest first; of many classes only those above 1 %. */
function probabilityText(board, { probabilities }) {
  const ordered = board.classes
    .map((name, place) => [name, probabilities[place]])
    .sort((one, other) => other[1] - one[1]);
  const shown = ordered.filter(([, value], place) => place < 3 || value > 0.01).slice(0, 8);
  return element(
    "p",
    { class: "quiet" },
    `Mean probabilities: ${shown.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ")}`,
  );
}

function seriesFigure(board, sample, facts) {
  const plot = () => ({
    traces: sample.channels.map((y, number) => ({
      y,
      type: "scatter",
      mode: "lines",
      name: `channel ${number + 1}`,
      line: { width: 1.5, color: palette()[number] },
      hovertemplate: "%{x}: %{y}<extra></extra>",
    })),
    layout: { showlegend: sample.channels.length > 1, margin: { l: 45, r: 10, t: 10, b: 30 } },
  });
  return figure({
    name: `${board.key}-row-${sample.row}`,
    caption: `Series of ${facts}; values before any scaling`,
    height: 180,
    plot,
  });
}
