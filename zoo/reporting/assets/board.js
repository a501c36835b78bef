"use strict";

// The board: the configurations of a test set with their scores and costs.

const COSTS = {
  macs: ["MACs", large],
  parameters: ["parameters", large],
  train_seconds: ["training s", (value) => significant(value, 3)],
  latency_ms: ["ms per row", (value) => significant(value, 2)],
};

function intervalColumn(key, title, found, hidden) {
  return {
    key,
    title,
    hidden,
    text: (row) => intervalText(found(row)),
    value: (row) => found(row)[0],
    csv: (row) => ["", " low", " high"].map((end, place) => [title + end, found(row)[place]]),
  };
}

function textColumn(key, title, found, hidden = true) {
  return { key, title, hidden, text: found };
}

function numberColumn(key, title, format, found, hidden = false) {
  return { key, title, hidden, text: (row) => format(found(row)), value: found, csv: (row) => [[title, found(row)]] };
}

/** Return all columns of a board; hidden ones are shown when the reader chooses them. */
function boardColumns(board) {
  const flat = (name) => (row) => row.ranked[name];
  const score = (row) => [row.ranked.score, row.ranked.low, row.ranked.high];
  const others = Object.keys(board.rows[0]?.scores ?? {}).filter((name) => name !== REPORT.metric);
  return [
    { key: "ranks", title: "ranks", text: (row) => ranksText(row.ranked), value: flat("rank"), csv: ranksCsv },
    { key: "name", title: "configuration", text: configuration, node: nameButton },
    intervalColumn("score", REPORT.words, score, false),
    numberColumn("deviation", "± over seeds", (value) => significant(value, 2), flat("deviation")),
    { key: "seeds", title: "seeds", text: seedsText, value: flat("seeds"), csv: seedsCsv },
    ...Object.entries(COSTS).map(([key, [title, format]]) => numberColumn(key, title, format, flat(key))),
    ...["architecture", "block", "data", "loss", "settings"].map((key) => textColumn(key, key, flat(key))),
    { key: "steps", title: "steps", hidden: true, text: (row) => stepsText(row.ranked), value: flat("steps_high") },
    ...others.map((name) => intervalColumn(name, scoreWords(name), (row) => row.scores[name], true)),
    ...classColumns(board),
  ];
}

/** Return a score in words: macro F1. */
function scoreWords(name) {
  return { mcc: "MCC", auroc: "AUROC", ece: "ECE", macro_f1: "macro F1" }[name] ?? name.replaceAll("_", " ");
}

/** Return a column for each score of each class. */
function classColumns(board) {
  return ["recall", "precision", "f1"].flatMap((score) =>
    board.classes.map((name, place) =>
      intervalColumn(`${score}:${place}`, `${SCORE_WORDS[score]} ${name}`, (row) => row.classes[score][place], true),
    ),
  );
}

/** Return the name of a row, with losses that are the same training: cnngru smote cross-entropy = weighted. */
function configuration({ name, ranked }) {
  return [name, ...ranked.same_losses].join(" = ");
}

/** Return the name of a row as a button that chooses it in the sections below. */
function nameButton(row) {
  const choose = () => {
    change({ row: row.key });
    document.getElementById("classes").scrollIntoView();
  };
  return button(configuration(row), choose, { class: "link", title: "Show its classes, and how to repeat it" });
}

function ranksCsv({ ranked }) {
  return [
    ["rank", ranked.rank],
    ["rank low", ranked.rank_low],
    ["rank high", ranked.rank_high],
    ["tied with the first", ranked.tied],
  ];
}

function seedsText({ ranked }) {
  if (ranked.seeds === ranked.seeds_asked) return String(ranked.seeds);
  return `${ranked.seeds} of ${ranked.seeds_asked}`;
}

function seedsCsv({ ranked }) {
  return [
    ["seeds", ranked.seeds],
    ["seeds asked", ranked.seeds_asked],
  ];
}

function stepsText({ steps_low: low, steps_high: high }) {
  if (high === null) return "–";
  return low === high ? whole(low) : `${whole(low)}–${whole(high)}`;
}

/** Return the columns that the address of the page shows. */
function shownColumns(board) {
  const hide = several("hide");
  const show = several("show");
  return boardColumns(board).filter(({ key, hidden }) => (hidden ? show.has(key) : !hide.has(key)));
}

function toggle(column, on) {
  const name = column.hidden ? "show" : "hide";
  const names = several(name);
  if (on === Boolean(column.hidden)) names.add(column.key);
  else names.delete(column.key);
  change({ [name]: [...names].join(",") });
}

/** Return the rows with all words of the search in their name, data or settings. */
function foundRows(board) {
  const words = (STATE.find || "").toLowerCase().split(/\s+/).filter(Boolean);
  const text = ({ name, ranked }) =>
    [name, ranked.architecture, ranked.data, ranked.loss, ranked.settings].join(" ").toLowerCase();
  return board.rows.filter((row) => words.every((word) => text(row).includes(word)));
}

function shownRows(board) {
  const columns = boardColumns(board);
  const column = columns.find(({ key }) => key === STATE.sort);
  const rows = foundRows(board);
  return column ? sorted(rows, column, STATE.order === "down") : rows;
}

/** Return the heading of a column: a button that sorts by it, then in the other direction, then as ranked. */
function sortHeading(column) {
  const own = STATE.sort === column.key;
  const order = own ? (STATE.order === "down" ? "descending" : "ascending") : null;
  const next =
    own && STATE.order !== "down"
      ? { sort: column.key, order: "down" }
      : own
        ? { sort: "", order: "" }
        : { sort: column.key, order: "" };
  const sort = () => {
    change(next);
    document.querySelector(`#board th[data-key="${CSS.escape(column.key)}"] button`)?.focus();
  };
  return element(
    "th",
    { scope: "col", class: kind(column), "aria-sort": order, "data-key": column.key },
    button(column.title, sort),
  );
}

function boardTable(board) {
  const rows = shownRows(board);
  const caption =
    rows.length === board.rows.length
      ? board.title
      : `${board.title}: ${rows.length} of ${count(board.rows.length, "configuration")}`;
  const top = new Set(board.verdict.top.map((place) => board.rows[place]));
  return table(shownColumns(board), rows, {
    caption,
    heading: sortHeading,
    extra: (row) => ({ class: top.size < board.rows.length && top.has(row) ? "top" : null, "data-key": row.key }),
  });
}

/** Return a figure of the scores with their intervals, in the order of the table. */
function scoreFigure(board) {
  const rows = shownRows(board).filter(({ ranked }) => ranked.score !== null);
  const top = new Set(board.verdict.top.map((place) => board.rows[place]));
  const groups = [
    ["tied for the first place", rows.filter((row) => top.has(row))],
    ["others", rows.filter((row) => !top.has(row))],
  ];
  const plot = () => ({
    traces: groups.map(([name, found], place) => scoreTrace(name, found, place)),
    layout: {
      xaxis: { title: { text: label(REPORT.words) } },
      yaxis: {
        type: "category",
        categoryorder: "array",
        categoryarray: rows.map(rowId).reverse(),
        tickvals: rows.map(rowId),
        ticktext: rows.map(({ name }) => shortened(name)),
      },
      showlegend: groups.every(([, found]) => found.length > 0),
      legend: { orientation: "h", y: 1, yanchor: "bottom" },
    },
  });
  const caption = `${REPORT.words} with 95 % intervals: ${board.title}`;
  return figure({
    name: `${board.key}-scores`,
    caption,
    height: 110 + (innerWidth < 640 ? 44 : 24) * rows.length,
    plot,
  });
}

function rowId({ key }) {
  return key;
}

/** Return a name for a label of a figure: of a few lines where the page is narrow. */
function shortened(name) {
  const most = innerWidth < 640 ? 16 : 44;
  const lines = [""];
  for (const word of name.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= most || !lines.at(-1)) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  const shown = lines.slice(0, 3).map((line) => label(line.length > most ? `${line.slice(0, most - 1)}…` : line));
  return shown.join("<br>");
}

function scoreTrace(name, rows, place) {
  const ends = (from, to) =>
    rows.map(({ ranked }) => Math.abs((ranked[to] ?? ranked.score) - (ranked[from] ?? ranked.score)));
  const colour = place ? colours().quiet : palette()[0];
  return {
    name,
    type: "scatter",
    mode: "markers",
    x: rows.map(({ ranked }) => ranked.score),
    y: rows.map(rowId),
    error_x: {
      type: "data",
      symmetric: false,
      array: ends("score", "high"),
      arrayminus: ends("low", "score"),
      thickness: 1.5,
    },
    marker: { size: 9, color: colour, symbol: SYMBOLS[place] },
    text: rows.map((row) => `${label(row.name)}: ${intervalText([row.ranked.score, row.ranked.low, row.ranked.high])}`),
    hovertemplate: "%{text}<extra></extra>",
  };
}

function boardSection() {
  const controls = element("div", { class: "controls" });
  const place = element("div");
  const below = element("div");
  const fill = () =>
    place.replaceChildren(boardTable(currentBoard()), stamp(currentBoard()), scoreFigure(currentBoard()));
  const renew = () => {
    controls.replaceChildren(...boardControls(currentBoard()));
    below.replaceChildren(...boardNotes(currentBoard()));
    fill();
  };
  watch(["set"], renew);
  watch(["find", "sort", "order", "hide", "show"], fill);
  renew();
  return [controls, place, below];
}

function boardControls(board) {
  const search = element("input", {
    type: "search",
    value: STATE.find || "",
    oninput: (event) => change({ find: event.target.value }),
  });
  const shown = new Set(shownColumns(board).map(({ key }) => key));
  const boxes = boardColumns(board).map((column) =>
    checkbox(column.title, shown.has(column.key), (on) => toggle(column, on)),
  );
  const menu = element("details", { class: "menu" }, element("summary", {}, "Columns"), element("div", {}, boxes));
  const write = () => save(`${board.key}.csv`, "text/csv", csv(shownColumns(board), shownRows(board)));
  return [element("label", {}, "Search", search), menu, button("Save as CSV", write)];
}

function boardNotes(board) {
  return [
    list(board.reading),
    references(board),
    missing(board),
    board.notes.length ? folded("About the data", list(board.notes)) : null,
  ].filter(Boolean);
}

/** Return the configurations without a score, by the reason. */
function missing(board) {
  if (!board.missing.length) return null;
  const reasons = [...new Set(board.missing.map(({ reason }) => reason))];
  const entries = reasons.map((reason) => {
    const names = board.missing
      .filter((each) => each.reason === reason)
      .map((each) => `${each.name} (${endsText(each.seeds)})`);
    return element("li", {}, `${names.join(", ")}: ${reason}`);
  });
  return element(
    "div",
    { id: "missing" },
    element("h3", {}, "Without a score"),
    element("ul", { class: "plain" }, entries),
  );
}

/** Return how the seeds of a configuration ended: 2 diverged, 1 failed. */
function endsText(seeds) {
  return Object.entries(seeds)
    .map(([status, number]) => `${number} ${status}`)
    .join(", ");
}

function references(board) {
  if (!board.references.length) return null;
  const columns = [
    { key: "name", title: "configuration", text: (row) => row.name },
    { key: "status", title: "status", text: (row) => row.status },
    {
      key: "score",
      title: REPORT.words,
      text: (row) => (row.score === null ? "–" : String(row.score)),
      value: (row) => row.score,
    },
    { key: "source", title: "source", text: (row) => row.source },
  ];
  return element(
    "div",
    {},
    element("h3", {}, "Reference results"),
    table(columns, board.references, { caption: "published and measured results for this data set and protocol" }),
  );
}
