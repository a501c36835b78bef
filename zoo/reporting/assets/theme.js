"use strict";

// Light and dark: as the system asks, unless the reader chooses.

const THEMES = [
  ["", "as the system"],
  ["light", "light"],
  ["dark", "dark"],
];
const PRINT = { now: false };

// Okabe and Ito 2008, Color universal design; without those that are too pale on the page.
const PALETTES = {
  light: ["#0072b2", "#c04f00", "#00805d", "#a34e7e", "#7a5c00", "#3b6ea5", "#555555"],
  dark: ["#56b4e9", "#e69f00", "#2fc79b", "#e39bc6", "#f0e442", "#ff8a4c", "#bbbbbb"],
};

function applyTheme() {
  const root = document.documentElement;
  if (STATE.theme) root.dataset.theme = STATE.theme;
  else delete root.dataset.theme;
}

function isDark() {
  if (PRINT.now) return false;
  return STATE.theme ? STATE.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function palette() {
  return PALETTES[isDark() ? "dark" : "light"];
}

/** Return the colours of a figure, those of the page. */
function colours() {
  return isDark()
    ? { ink: "#e8eaed", quiet: "#a7aeb7", line: "#3a4149", surface: "#1c2024", low: "#1c2024", high: "#6cc0f0" }
    : { ink: "#1a1d21", quiet: "#565d66", line: "#d5d9de", surface: "#ffffff", low: "#ffffff", high: "#00588a" };
}

function themeChoice() {
  return choice("Colours", THEMES, STATE.theme || "", (theme) => change({ theme }));
}
