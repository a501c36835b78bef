"use strict";

// Configurations over several data sets: mean ranks with the groups that do not differ, and all pairs.

function datasetsSection() {
  const found = REPORT.over_datasets;
  if (!found)
    return [element("p", {}, "Not enough: fewer than two configurations were scored on all of several data sets.")];
  const names = Object.keys(found.mean_ranks);
  const few = found.pairs.every(({ verdict }) => verdict === "not enough data sets");
  return [
    element("p", {}, datasetsText(found, names, few)),
    ranksFigure(found, names, few),
    pairsMatrix(found, names),
    found.left_out.length
      ? element("p", { class: "quiet" }, `Not on all data sets: ${found.left_out.join(", ")}.`)
      : null,
  ];
}

function datasetsText(found, names, few) {
  const sets = `${count(found.datasets.length, "data set")}: ${found.datasets.join(", ")}`;
  const what = `${count(names.length, "configuration")} were scored on all of ${sets}.`;
  if (few) return `${what} Not enough: with so few data sets, no difference can be significant.`;
  const friedman =
    found.friedman_p === null ? "" : ` Friedman's test that all are alike: p ${probability(found.friedman_p)}.`;
  return `${what}${friedman} Each data set counts as one observation.`;
}

/** Return the critical-difference diagram: mean ranks, and bars that join configurations without a difference. */
function ranksFigure(found, names, few) {
  const plot = () => ({
    traces: [
      ranksTrace(found, names),
      ...(few ? [] : REPORT.cliques.map((group, place) => cliqueTrace(found, names, group, place))),
    ],
    layout: {
      xaxis: { title: { text: "mean rank (1 is best)" }, zeroline: false },
      yaxis: {
        type: "category",
        categoryorder: "array",
        categoryarray: [...names].reverse(),
        tickvals: names,
        ticktext: names.map(shortened),
      },
      showlegend: false,
    },
  });
  const bars = few ? "" : ": bars join those that do not differ significantly";
  const caption = `Mean ranks over ${count(found.datasets.length, "data set")}${bars}`;
  return figure({ name: "mean-ranks", caption, height: 120 + (innerWidth < 640 ? 44 : 28) * names.length, plot });
}

function ranksTrace(found, names) {
  return {
    type: "scatter",
    mode: "markers",
    x: names.map((name) => found.mean_ranks[name]),
    y: names,
    marker: { size: 11, color: palette()[0] },
    text: names.map((name) => `${label(name)}: ${found.mean_ranks[name].toFixed(2)}`),
    hovertemplate: "%{text}<extra></extra>",
  };
}

function cliqueTrace(found, names, group, place) {
  const right = Math.max(...Object.values(found.mean_ranks)) + 0.35 + 0.25 * place;
  return {
    type: "scatter",
    mode: "lines+markers",
    x: group.map(() => right),
    y: group,
    line: { width: 5, color: colours().quiet },
    marker: { size: 9, color: colours().quiet },
    hovertemplate: "no significant difference<extra></extra>",
  };
}

/** Return all pairs as a matrix: mean difference of row minus column, data sets won, equal and lost, and p. */
function pairsMatrix(found, names) {
  const pairs = new Map();
  for (const pair of found.pairs) {
    pairs.set(`${pair.configuration}\n${pair.baseline}`, pairText(pair, 1));
    pairs.set(`${pair.baseline}\n${pair.configuration}`, pairText(pair, -1));
  }
  const columns = [
    { key: "name", title: "row minus column", text: ({ name }) => name },
    ...names.map((other, place) => ({
      key: `pair:${place}`,
      title: other,
      text: ({ name }) => pairs.get(`${name}\n${other}`) ?? "–",
    })),
  ];
  const caption = `${REPORT.words}: mean difference; data sets better / equal / worse; p adjusted by Holm`;
  return element(
    "div",
    { class: "matrix" },
    element("h3", {}, "All pairs"),
    table(
      columns,
      names.map((name) => ({ name })),
      { caption },
    ),
  );
}

function pairText({ difference, wins, ties, losses, adjusted }, sign) {
  const own = (sign * difference).toFixed(2);
  const numbers = sign > 0 ? [wins, ties, losses] : [losses, ties, wins];
  const p = adjusted === null ? [] : [`p ${probability(adjusted)}`];
  const text = Number(own) === 0 ? "0.00" : own.startsWith("-") ? own.replace("-", "−") : `+${own}`;
  return [text, numbers.join(" / "), ...p].join("; ");
}
