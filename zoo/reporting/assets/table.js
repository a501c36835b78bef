"use strict";

// Tables. A column has a key, a title, `text(row)`, and for numbers `value(row)`; `csv(row)` returns pairs of heading
// and value.

/** Return a table of columns and rows; `extra` has attributes of its rows. */
function table(columns, rows, { caption, heading, extra = () => ({}) } = {}) {
  const head = element("thead", {}, element("tr", {}, columns.map(heading || plainHeading)));
  const body = element(
    "tbody",
    {},
    rows.map((row) =>
      element(
        "tr",
        extra(row),
        columns.map((column) => cell(column, row)),
      ),
    ),
  );
  const title = caption ? element("caption", {}, caption) : null;
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption || "table" },
    element("table", {}, title, head, body),
  );
}

function plainHeading(column) {
  return element("th", { scope: "col", class: kind(column) }, column.title);
}

function kind(column) {
  return column.value ? "number" : column.key === "name" ? "name" : null;
}

function cell(column, row) {
  const content = column.node ? column.node(row) : column.text(row);
  return element("td", { class: kind(column) }, content);
}

/** Return rows in the order of a column; those without a value are last. */
function sorted(rows, column, down) {
  const value = column.value || column.text;
  const known = (row) => ![null, undefined, ""].includes(value(row));
  const order = (one, other) => {
    const [a, b] = [value(one), value(other)];
    const found = typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return down ? -found : found;
  };
  return [...rows.filter(known).sort(order), ...rows.filter((row) => !known(row))];
}

/** Return the rows as CSV. A text that a spreadsheet would read as a formula begins with an apostrophe. */
function csv(columns, rows) {
  const parts = (row) =>
    columns.flatMap((column) => (column.csv ? column.csv(row) : [[column.title, column.text(row)]]));
  const headings = rows.length ? parts(rows[0]).map(([heading]) => heading) : columns.map(({ title }) => title);
  const lines = [headings, ...rows.map((row) => parts(row).map(([, value]) => value))];
  return lines.map((line) => line.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function csvCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
