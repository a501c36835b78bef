"use strict";

// The reliability curve of a configuration: how often predictions of a confidence are right.

function calibrationSection() {
  const make = () => {
    const row = currentRow();
    if (!row) return [element("p", {}, NO_ROWS)];
    const chosen = element("div", { class: "controls" }, rowChoice());
    if (!row.reliability.length)
      return [chosen, element("p", {}, "The probabilities of this configuration are not stored.")];
    const { ece } = row.scores;
    const error =
      ece[0] === null
        ? ""
        : `Expected calibration error: ${ece[0].toFixed(3)}, the mean over seeds. It has no interval.`;
    return [chosen, reliabilityFigure(row), element("p", {}, error), stamp(currentBoard())];
  };
  return [renewed(["row"], make), renewed(["row", "class", "prevalence", "costs"], decisionNodes)];
}

function reliabilityFigure(row) {
  const plot = () => ({
    traces: [diagonal(), reliabilityTrace(row)],
    layout: {
      xaxis: { title: { text: "confidence" }, range: [0, 1.02] },
      yaxis: { title: { text: "share of right predictions" }, range: [-0.02, 1.05] },
    },
  });
  const caption = `Reliability of ${configuration(row)} over the test rows of all seeds; larger markers have more rows`;
  return figure({ name: `${currentBoard().key}-reliability`, caption, height: 420, plot });
}

function diagonal() {
  return {
    name: "calibrated",
    type: "scatter",
    mode: "lines",
    x: [0, 1],
    y: [0, 1],
    line: { dash: "dot", width: 1.5, color: colours().quiet },
    hoverinfo: "skip",
  };
}

function reliabilityTrace(row) {
  const bins = row.reliability;
  const most = Math.max(...bins.map(({ rows }) => rows));
  return {
    name: shortened(configuration(row)),
    type: "scatter",
    mode: "lines+markers",
    x: bins.map(({ confidence }) => confidence),
    y: bins.map(({ accuracy }) => accuracy),
    line: { width: 1.5, color: palette()[0] },
    marker: { color: palette()[0], size: bins.map(({ rows }) => 5 + 11 * Math.sqrt(rows / most)) },
    text: bins.map(({ rows }) => whole(rows)),
    hovertemplate: "confidence %{x:.2f}, right %{y:.2f}, %{text} rows<extra></extra>",
  };
}
