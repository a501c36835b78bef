"use strict";

// The classes of a configuration: scores with intervals, and the confusion matrix.

const CLASS_SCORES = ["recall", "precision", "f1"];
const SCORE_WORDS = { recall: "recall", precision: "precision", f1: "F1" };

function classesSection() {
  const make = () => {
    const board = currentBoard();
    const row = currentRow();
    if (!row) return [element("p", {}, NO_ROWS)];
    const score = CLASS_SCORES.includes(STATE.score) ? STATE.score : "recall";
    const scores = choice("Score of the figure", Object.entries(SCORE_WORDS), score, (name) => change({ score: name }));
    return [
      element("div", { class: "controls" }, rowChoice(), scores),
      classTable(board, row),
      stamp(board),
      classFigure(board, row, score),
      confusionTable(board, row),
    ];
  };
  return [renewed(["row", "score"], make), renewed(["row", "cell"], examplesOfCell)];
}

function classTable(board, row) {
  const rows = board.classes.map((name, place) => ({ name, place }));
  const columns = [
    { key: "name", title: "class", text: ({ name }) => name },
    numberColumn("support", "test rows", whole, ({ place }) => board.support[place]),
    ...CLASS_SCORES.map((score) =>
      intervalColumn(score, SCORE_WORDS[score], ({ place }) => row.classes[score][place], false),
    ),
  ];
  const reasons = CLASS_SCORES.flatMap((score) => row.classes[score].map((interval) => interval[3])).filter(Boolean);
  const caption = `classes of ${configuration(row)}`;
  return element(
    "div",
    {},
    table(columns, rows, { caption }),
    list([...new Set(reasons)].map((text) => `No interval: ${text}.`)),
  );
}

/** Return a figure of a score of all classes, for the chosen configuration and the first ones of the board. */
function classFigure(board, row, score) {
  const rows = [...new Set([row, ...board.rows.slice(0, 4)])].slice(0, 5);
  const plot = () => ({
    traces: rows.map((each, number) => classTrace(board, each, score, number)),
    layout: {
      xaxis: {
        type: "category",
        tickvals: board.classes.map((_, place) => String(place)),
        ticktext: board.classes.map((name) => label(name.length > 14 ? `${name.slice(0, 13)}…` : name)),
      },
      yaxis: { title: { text: SCORE_WORDS[score] }, range: [-0.02, 1.02] },
      scattermode: "group",
      legend: { orientation: "h", y: -0.25 },
    },
  });
  const caption = `${SCORE_WORDS[score]} of each class with 95 % intervals: ${board.title}`;
  return figure({ name: `${board.key}-${score}`, caption, height: 420, plot });
}

function classTrace(board, row, score, number) {
  const intervals = row.classes[score];
  const values = intervals.map(([value]) => value);
  const end = (place) => intervals.map((interval) => Math.abs((interval[place] ?? interval[0]) - interval[0]));
  return {
    name: shortened(configuration(row)),
    type: "scatter",
    mode: "markers",
    x: values.map((_, place) => String(place)),
    y: values,
    error_y: { type: "data", symmetric: false, array: end(2), arrayminus: end(1), thickness: 1.5, width: 3 },
    marker: { size: 8, symbol: SYMBOLS[number], color: palette()[number] },
    text: intervals.map(
      (interval, place) => `${label(row.name)}<br>${label(board.classes[place])}: ${intervalText(interval)}`,
    ),
    hovertemplate: "%{text}<extra></extra>",
  };
}

/** Return the confusion matrix: shares of the true class, with a button for each cell that has examples. */
function confusionTable(board, row) {
  if (!row.confusion.length) return null;
  const totals = row.confusion.map((numbers) => numbers.reduce((sum, number) => sum + number, 0));
  const chosen = new Set(row.examples.map(({ true: own, predicted }) => `${own},${predicted}`));
  const columns = [
    { key: "name", title: "true class", text: ({ name }) => name },
    ...board.classes.map((name, said) => ({
      key: `said:${said}`,
      title: name,
      value: ({ place }) => row.confusion[place][said],
      node: ({ place }) => confusionCell(row.confusion[place][said], totals[place], `${place},${said}`, chosen),
    })),
  ];
  const rows = board.classes.map((name, place) => ({ name, place }));
  const caption =
    "confusion matrix: true classes in rows, predicted classes in columns; shares of the true class, summed over seeds";
  const found = table(columns, rows, { caption });
  found.classList.add("confusion");
  return element(
    "div",
    {},
    element("h3", {}, "Confusion matrix"),
    found,
    element("p", { class: "quiet" }, board.no_samples || "A cell opens test rows that are in it."),
  );
}

function confusionCell(number, total, key, chosen) {
  const part = total ? number / total : 0;
  const text = number ? share(part) : "0";
  const title = `${whole(number)} of ${whole(total)}`;
  const made = chosen.has(key)
    ? button(text, () => showCell(key), { title, "data-cell": key, "aria-label": `${text}, ${title}: show test rows` })
    : element("span", { title }, text);
  made.style.setProperty("--part", `${Math.round(100 * part)}%`);
  return made;
}

function showCell(cell) {
  change({ cell });
  document.getElementById("examples")?.scrollIntoView({ block: "nearest" });
}
