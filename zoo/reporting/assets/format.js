"use strict";

// Numbers as text. An interval is [value, low, high], or [value, null, null, reason].

/** Return the number of decimals that is not finer than the noise: one digit of half the interval, at least two. */
function decimals([, low, high]) {
  if (low === null || high === null) return 2;
  let digits = 2;
  while (digits < 4 && (high - low) / 2 < 0.95 * 10 ** -digits) digits += 1;
  return digits;
}

/** Return a score with its interval: 0.86 (0.84–0.88). */
function intervalText(interval) {
  const [value, low, high] = interval;
  if (value === null) return "–";
  const digits = decimals(interval);
  if (low === null || high === null) return `${value.toFixed(digits)} (no interval)`;
  return `${value.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

function whole(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");
}

/** Return a large number with a unit: 82.9 M. */
function large(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1e4) return whole(value);
  const [size, unit] = value < 1e6 ? [1e3, "k"] : value < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${significant(value / size, 3)} ${unit}`;
}

function significant(value, digits) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}

/** Return a p value: 0.012, or <0.001. */
function probability(value) {
  if (value === null) return "–";
  return value < 0.001 ? "<0.001" : value.toFixed(3);
}

function share(value) {
  return `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;
}

/** Return the ranks that a configuration can have: 1–4. */
function ranksText({ rank_low: low, rank_high: high, rank }) {
  if (low === null || low === undefined) return String(rank);
  return low === high ? String(low) : `${low}–${high}`;
}

function count(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;
}
