"use strict";

// The page: its heading, and its sections in their order.

const REPORT = JSON.parse(document.getElementById("data").textContent);
const SECTIONS = [
  ["verdict", "Verdict", verdictSection],
  ["board", "Board", boardSection],
  ["cost", "Score against cost", costSection],
  ["datasets", "Data sets", datasetsSection],
  ["classes", "Classes", classesSection],
  ["curves", "Learning curves", curvesSection],
  ["calibration", "Calibration", calibrationSection],
  ["repeat", "Repeat", repeatSection],
];

function heading() {
  const { title, words, lower, chosen, runs, created, version } = REPORT;
  document.title = title;
  document.getElementById("title").textContent = title;
  const parts = [
    count(runs, "run"),
    `ranked by ${words}${lower ? ", lower is better" : ""}`,
    chosen ? `only ${chosen}` : "",
    `made ${created.slice(0, 16).replace("T", " ")} UTC with zoo ${version}`,
  ];
  document.getElementById("about").textContent = parts.filter(Boolean).join(" · ");
}

function controls() {
  const sets = REPORT.boards.map(({ key, title }) => [key, title]);
  const place = document.getElementById("controls");
  const fill = () => {
    const set = choice("Test set", sets, currentBoard().key, (key) => change({ set: key }));
    place.replaceChildren(...(sets.length > 1 ? [set] : []), themeChoice());
  };
  watch(["set", "theme"], fill);
  fill();
}

function sections() {
  const main = document.getElementById("report");
  for (const [id, title, make] of SECTIONS) {
    main.append(element("section", { id }, element("h2", {}, title), make()));
    const jump = button(title, () => document.getElementById(id).scrollIntoView());
    document.getElementById("sections").append(jump);
  }
}

applyTheme();
watch(["theme"], () => {
  applyTheme();
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
document.getElementById("skip").addEventListener("click", () => document.getElementById("report").focus());
heading();
controls();
sections();
