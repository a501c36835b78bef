"use strict";

// Score against cost, with the configurations that no cheaper one beats.

function costSection() {
  const axes = Object.entries(COSTS).map(([key, [title]]) => [key, title]);
  const make = () => {
    const board = currentBoard();
    const axis = COSTS[STATE.axis] ? STATE.axis : "macs";
    const known = costRows(board, axis);
    const pick = element(
      "div",
      { class: "controls" },
      choice("Cost", axes, axis, (key) => change({ axis: key })),
    );
    if (!known.length) return [pick, element("p", {}, "No configuration has this cost and a score.")];
    return [pick, costFigure(board, axis, known), frontText(front(known)), stamp(board)];
  };
  return [renewed(["axis"], make)];
}

/** Return the rows with a score and this cost, with both as numbers. */
function costRows(board, axis) {
  return board.rows
    .map((row, place) => ({ row, place, cost: row.ranked[axis], score: row.ranked.score }))
    .filter(({ cost, score }) => cost !== null && score !== null);
}

/** Return those that no other one beats in both score and cost (Pareto), the cheapest first. */
function front(known) {
  const sign = REPORT.lower ? -1 : 1;
  const ordered = [...known].sort((one, other) => one.cost - other.cost || sign * (other.score - one.score));
  let best = -Infinity;
  return ordered.filter(({ score }) => {
    if (sign * score <= best) return false;
    best = sign * score;
    return true;
  });
}

function frontText(best) {
  const names = best.map(({ row }) => row.name).join(", ");
  return element("p", {}, `Pareto front, the cheapest first: ${names}. Scores on it may still be tied: see the ranks.`);
}

function costFigure(board, axis, known) {
  const [title] = COSTS[axis];
  const best = front(known);
  const plot = () => ({
    traces: [frontTrace(best), ...tunedTraces(board, known), ...costTraces(board, known)],
    layout: {
      xaxis: { type: "log", title: { text: title }, dtick: "D2", exponentformat: "SI" },
      yaxis: { title: { text: label(REPORT.words) } },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
      height: 460,
    },
  });
  const caption = `${REPORT.words} against ${title}: ${board.title}. Bars: 95 % intervals.`;
  return figure({ name: `${board.key}-cost`, caption, height: 460, plot });
}

function frontTrace(best) {
  return {
    name: "Pareto front",
    type: "scatter",
    mode: "lines",
    x: best.map(({ cost }) => cost),
    y: best.map(({ score }) => score),
    line: { shape: "hv", width: 1.5, color: colours().quiet, dash: "dot" },
    hoverinfo: "skip",
  };
}

/** Return a line from the defaults to the winner of each study. */
function tunedTraces(board, known) {
  const at = new Map(known.map((each) => [each.place, each]));
  const pairs = board.tuned.map((places) => places.map((place) => at.get(place))).filter((pair) => pair.every(Boolean));
  return pairs.map((pair, place) => ({
    name: "defaults and tuned",
    showlegend: place === 0,
    type: "scatter",
    mode: "lines",
    x: pair.map(({ cost }) => cost),
    y: pair.map(({ score }) => score),
    line: { width: 2, color: palette()[1] },
    hoverinfo: "skip",
  }));
}

/** Return a trace of points for each architecture. */
function costTraces(board, known) {
  const architectures = [...new Set(known.map(({ row }) => row.ranked.architecture))];
  return architectures.map((name, number) => {
    const found = known.filter(({ row }) => row.ranked.architecture === name);
    const ends = (from, to) =>
      found.map(({ row }) => Math.abs((row.ranked[to] ?? row.ranked.score) - (row.ranked[from] ?? row.ranked.score)));
    return {
      name: label(name),
      type: "scatter",
      mode: "markers",
      x: found.map(({ cost }) => cost),
      y: found.map(({ score }) => score),
      error_y: {
        type: "data",
        symmetric: false,
        array: ends("score", "high"),
        arrayminus: ends("low", "score"),
        thickness: 1,
        width: 3,
      },
      marker: { size: 10, symbol: SYMBOLS[number % SYMBOLS.length], color: palette()[number % palette().length] },
      text: found.map(({ row }) => pointText(row)),
      hovertemplate: "%{text}<extra></extra>",
    };
  });
}

function pointText(row) {
  const { score, low, high } = row.ranked;
  const costs = Object.entries(COSTS).map(([key, [title, format]]) => `${format(row.ranked[key])} ${title}`);
  return [label(configuration(row)), `${label(REPORT.words)} ${intervalText([score, low, high])}`, ...costs].join(
    "<br>",
  );
}
