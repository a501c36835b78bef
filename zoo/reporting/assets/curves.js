"use strict";

// The learning curves of a configuration, with the epochs whose weights were kept.

const CURVES = { scores: "validation score", losses: "training loss" };

function curvesSection() {
  const make = () => {
    const row = currentRow();
    if (!row) return [element("p", {}, NO_ROWS)];
    const part = STATE.curve === "losses" ? "losses" : "scores";
    const pick = choice("Show", Object.entries(CURVES), part, (curve) => change({ curve }));
    const chosen = element("div", { class: "controls" }, rowChoice(), pick);
    if (!row.curves.length)
      return [
        chosen,
        element("p", {}, "This configuration was not trained by epochs, or its learning curves are not stored."),
      ];
    return [chosen, curvesFigure(row, part), stamp(currentBoard())];
  };
  return [renewed(["row", "curve"], make)];
}

function curvesFigure(row, part) {
  const title =
    part === "losses" ? CURVES.losses : `validation ${row.monitor.replaceAll("_", " ").replace("validation ", "")}`;
  const plot = () => ({
    traces: row.curves.flatMap((curve, number) => curveTraces(curve, part, number)),
    layout: { xaxis: { title: { text: "epoch" } }, yaxis: { title: { text: title } } },
  });
  const caption = `${title} by epoch of ${configuration(row)}; a large marker is the kept epoch`;
  return figure({ name: `${currentBoard().key}-curves`, caption, height: 400, plot });
}

function curveTraces(curve, part, number) {
  const values = curve[part];
  const color = palette()[number % palette().length];
  const name = `seed ${curve.seed}`;
  const line = {
    name,
    type: "scatter",
    mode: "lines",
    x: values.map((_, place) => place + 1),
    y: values,
    line: { width: 1.5, color },
    hovertemplate: `${name}, epoch %{x}: %{y:.3f}<extra></extra>`,
  };
  if (!curve.kept) return [line];
  const marker = { size: 11, color, symbol: SYMBOLS[number % SYMBOLS.length] };
  return [line, { ...line, mode: "markers", x: [curve.kept], y: [values[curve.kept - 1]], marker, showlegend: false }];
}
