"use strict";

// The protocol stamp: how the numbers beside it were made.

/** Return the stamp of a board in one line. */
function stamp(board) {
  const facts = Object.entries(board.stamp).filter(([, text]) => text);
  return element(
    "p",
    { class: "stamp" },
    facts.map(([name, text]) => element("span", { class: careful(name, text) }, text)),
  );
}

/** Return whether a fact needs attention: sets that share groups or rows. */
function careful(name, text) {
  return name === "shared" && /^\d/.test(text) ? "warn" : null;
}
