"use strict";

// The state of the page is the hash of its address, so that a link shows the same view.

const STATE = {};
const WATCHERS = [];

/** Return the state of an address: a mapping of texts. */
function readState() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Change parts of the state; an empty value removes a part. The sections that watch it are drawn again. */
function change(parts) {
  const next = { ...STATE, ...parts };
  for (const [name, value] of Object.entries(next)) if (!value) delete next[name];
  const hash = new URLSearchParams(next).toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  apply(next);
}

function apply(next) {
  const names = new Set([...Object.keys(STATE), ...Object.keys(next)]);
  const changed = [...names].filter((name) => STATE[name] !== next[name]);
  for (const name of Object.keys(STATE)) delete STATE[name];
  Object.assign(STATE, next);
  for (const { parts, draw } of WATCHERS) if (parts.some((name) => changed.includes(name))) draw();
}

/** Call `draw` whenever one of these parts of the state has changed. */
function watch(parts, draw) {
  WATCHERS.push({ parts, draw });
}

/** Return a part of the state that holds several names. */
function several(name) {
  return new Set((STATE[name] || "").split(",").filter(Boolean));
}

window.addEventListener("hashchange", () => apply(readState()));
Object.assign(STATE, readState());
