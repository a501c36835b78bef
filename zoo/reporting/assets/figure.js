"use strict";

// Figures, drawn by plotly.js when they scroll into view. It is read only when the first one does.

const FIGURES = new Set();
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];

/** Run the plotting library, which the page holds as text: reading it takes longer than all other scripts. */
function library() {
  if (!window.Plotly) {
    const text = document.getElementById("library").textContent;
    document.head.append(element("script", {}, text));
  }
  return window.Plotly;
}

/**
 * Return a figure. `plot` returns its traces and its layout in the current colours.
 *
 * name      of the files that it is saved to
 * caption   what it shows, also for those who cannot see it
 * height    in CSS pixels
 */
function figure({ name, caption, height = 380, plot }) {
  const canvas = element("div", { class: "canvas", role: "img", "aria-label": caption });
  canvas.style.setProperty("--height", `${height}px`);
  const saving = ["svg", "png"].map((format) => button(`Save ${format.toUpperCase()}`, () => saveFigure(made, format)));
  const node = element(
    "figure",
    {},
    element("figcaption", {}, caption),
    canvas,
    element("div", { class: "buttons" }, saving),
  );
  const made = { name, node, canvas, height, plot, drawn: false };
  FIGURES.add(made);
  OBSERVER.observe(canvas);
  canvas.figure = made;
  return node;
}

const OBSERVER = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) draw(entry.target.figure);
  },
  { rootMargin: "200px" },
);

function draw(made) {
  const plotly = library();
  const { traces, layout } = made.plot();
  made.drawn = true;
  plotly.react(made.canvas, traces, styled(layout, made.height), { displayModeBar: false, responsive: true });
  OBSERVER.unobserve(made.canvas);
}

/** Draw all figures of the page that are or were in view again, in the current colours. */
function redraw(all = false) {
  for (const made of FIGURES) {
    if (!made.node.isConnected) FIGURES.delete(made);
    else if (made.drawn || all) draw(made);
  }
}

async function saveFigure(made, format) {
  if (!made.drawn) draw(made);
  const { width } = made.canvas.getBoundingClientRect();
  const size = {
    format,
    width: Math.max(640, Math.round(width)),
    height: made.height,
    scale: format === "png" ? 2 : 1,
  };
  await library().downloadImage(made.canvas, { ...size, filename: made.name });
}

/** Return a layout with the colours and fonts of the page. */
function styled(layout, height) {
  const { ink, line, surface } = colours();
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  const axes = Object.keys(layout).filter((key) => /^[xy]axis/.test(key));
  const full = Object.fromEntries(axes.map((key) => [key, { ...axis, ...layout[key] }]));
  return {
    margin: { l: 60, r: 20, t: 20, b: 50 },
    hovermode: "closest",
    legend: { orientation: "h", y: -0.2 },
    ...layout,
    ...full,
    height,
    autosize: true,
    paper_bgcolor: surface,
    plot_bgcolor: surface,
    colorway: palette(),
    font: { color: ink, family: getComputedStyle(document.body).fontFamily, size: 13 },
  };
}

/** Return a text for a label of a figure, in which plotly would else read tags and entities. */
function label(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

window.addEventListener("beforeprint", () => {
  PRINT.now = true;
  redraw(true);
});
window.addEventListener("afterprint", () => {
  PRINT.now = false;
  redraw();
});
