"use strict";

// Decisions from stored probabilities, for another prevalence of the classes and other costs of errors.
//
// For new prevalences q of the classes, probabilities p that hold at prevalences t of the test set become p q / t,
// divided by their sum (Saerens, Latinne and Decaestecker 2002). The class with the least expected cost is predicted
// (Elkan 2001). The shares of each class that are predicted as each other one do not depend on the prevalence of the
// rows; with q they become scores at that prevalence.

const DECODED = new Map();
const MOST_COSTS = 8; // classes with a cost matrix

/** Return the stored probabilities of a row as an array of arrays of numbers by class, in the order of the classes. */
function decoded(row) {
  if (!DECODED.has(row.key)) {
    const bytes = Uint8Array.from(atob(row.probabilities.values), (sign) => sign.charCodeAt(0));
    DECODED.set(row.key, new Float32Array(bytes.buffer));
  }
  return DECODED.get(row.key);
}

/** Return the share of the rows of each class that are predicted as each class. */
function decisionShares(row, ratios, costs) {
  const size = ratios.length;
  const values = decoded(row);
  const shares = ratios.map(() => new Array(size).fill(0));
  let at = 0;
  row.probabilities.rows.forEach((rows, own) => {
    for (let number = 0; number < rows; number += 1, at += size) {
      shares[own][decision(values, at, ratios, costs)] += 1 / rows;
    }
  });
  return shares;
}

/** Return the class with the least expected cost for the row that begins at a position. */
function decision(values, at, ratios, costs) {
  let best = 0;
  let least = Infinity;
  for (let said = 0; said < ratios.length; said += 1) {
    let cost = 0;
    for (let own = 0; own < ratios.length; own += 1) cost += values[at + own] * ratios[own] * costs[own][said];
    if (cost < least) [best, least] = [said, cost];
  }
  return best;
}

/** Return the scores of decisions at prevalences: recall and precision by class, and those of all classes. */
function decisionScores(shares, prevalences, costs) {
  const there = prevalences.map((_, own) => own).filter((own) => shares[own].some((part) => part > 0));
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const recall = shares.map((parts, own) => parts[own]);
  const precision = shares.map((parts, own) => {
    const predicted = sum(there.map((other) => prevalences[other] * shares[other][own]));
    return predicted > 0 ? (prevalences[own] * parts[own]) / predicted : 0;
  });
  return {
    recall,
    precision,
    macroRecall: sum(there.map((own) => recall[own])) / there.length,
    accuracy: sum(there.map((own) => prevalences[own] * recall[own])),
    cost: sum(there.map((own) => prevalences[own] * sum(shares[own].map((part, said) => part * costs[own][said])))),
  };
}

/** Return the prevalences of the test set, and those that the reader chose: one class, the others in proportion. */
function prevalencesOf(row) {
  const total = row.probabilities.of.reduce((sum, number) => sum + number, 0);
  const test = row.probabilities.of.map((number) => number / total);
  const place = chosenClass(test.length);
  const share = STATE.prevalence === undefined ? test[place] : Math.min(Math.max(Number(STATE.prevalence) || 0, 0), 1);
  const rest = 1 - test[place];
  return {
    test,
    chosen: test.map((own, other) => (other === place ? share : rest > 0 ? (own * (1 - share)) / rest : 0)),
  };
}

function chosenClass(size) {
  const place = Number(STATE.class ?? size - 1);
  return Number.isInteger(place) && place >= 0 && place < size ? place : size - 1;
}

/** Return the chosen cost of each predicted class (inner) for each true class; by default 1 for each error. */
function costsOf(size) {
  const given = (STATE.costs || "").split(";").map((line) => line.split(",").map(Number));
  const usable =
    given.length === size && given.every((line) => line.length === size && line.every((cost) => cost >= 0));
  return usable
    ? given
    : Array.from({ length: size }, (_, own) => Array.from({ length: size }, (_, said) => Number(own !== said)));
}

function decided(row) {
  const { test, chosen } = prevalencesOf(row);
  const costs = costsOf(test.length);
  const ratios = chosen.map((share, place) => (test[place] > 0 ? share / test[place] : 0));
  return decisionScores(decisionShares(row, ratios, costs), chosen, costs);
}

/** Return the scores of the stored decisions at the same prevalences and costs. */
function undecided(row) {
  const { test, chosen } = prevalencesOf(row);
  const equal = test.map((_, own) => test.map((_, said) => Number(own !== said)));
  return decisionScores(
    decisionShares(
      row,
      test.map(() => 1),
      equal,
    ),
    chosen,
    costsOf(test.length),
  );
}

function decisionNodes() {
  const board = currentBoard();
  const known = board.rows.filter(({ probabilities }) => probabilities);
  const heading = element("h3", {}, "Decisions for another prevalence and other costs");
  if (!known.length)
    return [heading, element("p", {}, "No probabilities are stored for this, or there are too many classes.")];
  const row = known.includes(currentRow()) ? currentRow() : known[0];
  return [
    heading,
    element("p", {}, decisionText(row)),
    prevalenceControls(board, row),
    costControls(board),
    decisionTable(known),
    decisionClasses(board, row),
    stamp(board),
  ];
}

function decisionText(row) {
  const { rows, of, seed } = row.probabilities;
  const part = rows.some((number, place) => number < of[place]) ? "a sample of the test rows" : "all test rows";
  return [
    `From the probabilities of seed ${seed}, ${part}.`,
    "They are adjusted to the prevalence, and the class with the least expected cost is predicted.",
    "The numbers have no intervals: they show an effect, not a ranking.",
  ].join(" ");
}

function prevalenceControls(board, row) {
  const { chosen } = prevalencesOf(row);
  const place = chosenClass(chosen.length);
  const classes = board.classes.map((name, number) => [String(number), name]);
  const text = element("output", { id: "prevalence-text" }, share(chosen[place]));
  const slider = element("input", {
    type: "range",
    id: "prevalence",
    min: 0,
    max: 1,
    step: 0.001,
    value: chosen[place],
    oninput: (event) => (text.textContent = share(Number(event.target.value))),
    onchange: (event) => keepFocus("prevalence", () => change({ prevalence: event.target.value })),
  });
  const reset = button("As in the test set", () => change({ prevalence: "", costs: "" }));
  const pick = choice("Class", classes, String(place), (number) => change({ class: number, prevalence: "" }));
  return element("div", { class: "controls" }, pick, element("label", {}, "Its prevalence", slider), text, reset);
}

/** Draw again, and focus the element with this id, which was made anew. */
function keepFocus(id, act) {
  act();
  document.getElementById(id)?.focus();
}

function costControls(board) {
  const size = board.classes.length;
  if (size > MOST_COSTS) return null;
  const costs = costsOf(size);
  const set = (own, said, value) => {
    const next = costs.map((line) => [...line]);
    next[own][said] = Math.max(0, Number(value) || 0);
    keepFocus(`cost-${own}-${said}`, () => change({ costs: next.map((line) => line.join(",")).join(";") }));
  };
  const input = (own, said) =>
    element("input", {
      type: "number",
      min: 0,
      step: "any",
      id: `cost-${own}-${said}`,
      value: costs[own][said],
      "aria-label": `cost of predicting ${board.classes[said]} for ${board.classes[own]}`,
      onchange: (event) => set(own, said, event.target.value),
    });
  const columns = [
    { key: "name", title: "true class", text: ({ name }) => name },
    ...board.classes.map((name, said) => ({
      key: `cost:${said}`,
      title: name,
      node: ({ place }) => input(place, said),
    })),
  ];
  const rows = board.classes.map((name, place) => ({ name, place }));
  const found = table(columns, rows, { caption: "costs of each predicted class (columns) for each true class (rows)" });
  return element(
    "details",
    { class: "costs", open: Boolean(STATE.costs) },
    element("summary", {}, "Costs of errors"),
    found,
  );
}

/** Return the configurations with probabilities, those with the least expected cost first. */
function decisionTable(known) {
  const rows = known.map((row) => ({ row, found: decided(row), before: undecided(row) }));
  rows.sort((one, other) => one.found.cost - other.found.cost);
  const column = (key, title, value) => ({ key, title, text: (each) => value(each).toFixed(3), value });
  const columns = [
    { key: "name", title: "configuration", text: ({ row }) => configuration(row) },
    column("cost", "expected cost", ({ found }) => found.cost),
    column("before", "cost without adjustment", ({ before }) => before.cost),
    column("macro", "macro recall", ({ found }) => found.macroRecall),
    column("accuracy", "accuracy", ({ found }) => found.accuracy),
  ];
  const made = table(columns, rows, { caption: "configurations by expected cost for one series" });
  made.id = "decisions";
  return made;
}

function decisionClasses(board, row) {
  const { chosen } = prevalencesOf(row);
  const found = decided(row);
  const before = undecided(row);
  const rows = board.classes.map((name, place) => ({ name, place }));
  const column = (key, title, value) => ({
    key,
    title,
    text: ({ place }) => value(place).toFixed(3),
    value: ({ place }) => value(place),
  });
  const columns = [
    { key: "name", title: "class", text: ({ name }) => name },
    column("share", "prevalence", (place) => chosen[place]),
    column("recall", "recall", (place) => found.recall[place]),
    column("before", "recall without adjustment", (place) => before.recall[place]),
    column("precision", "precision", (place) => found.precision[place]),
  ];
  const made = table(columns, rows, { caption: `classes of ${configuration(row)}` });
  made.id = "decided";
  return made;
}
