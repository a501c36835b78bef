"use strict";

// The test set and the configuration that the reader has chosen.

function currentBoard() {
  return REPORT.boards.find(({ key }) => key === STATE.set) || REPORT.boards[0];
}

/** Return the chosen configuration of the current board; by default the first. */
function currentRow() {
  const { rows } = currentBoard();
  return rows.find(({ key }) => key === STATE.row) || rows[0];
}

function rowChoice() {
  const names = currentBoard().rows.map((row) => [row.key, configuration(row)]);
  return choice("Configuration", names, currentRow()?.key, (row) => change({ row }));
}

/** Return the parts of a section that is drawn again when one of these parts of the state changes. */
function renewed(parts, make) {
  const place = element("div");
  const fill = () => place.replaceChildren(...make().filter(Boolean));
  watch(["set", ...parts], fill);
  fill();
  return place;
}

const NO_ROWS = "No configuration has a score on this test set.";
