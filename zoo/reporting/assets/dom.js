"use strict";

// Elements of the page. A text always becomes a text node, never markup.

/** Return an element with attributes; children are elements or texts. A function is a listener: {onclick: …}. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

/** Return a labelled list of choices, each a pair of a value and its text. */
function choice(label, values, chosen, onpick) {
  const options = values.map(([value, text]) => element("option", { value, selected: value === chosen }, text));
  const select = element("select", { onchange: (event) => onpick(event.target.value) }, options);
  return element("label", {}, label, select);
}

function checkbox(text, checked, onpick) {
  const box = element("input", { type: "checkbox", checked, onchange: (event) => onpick(event.target.checked) });
  return element("label", { class: "check" }, box, element("span", {}, text));
}

function list(texts) {
  return texts.length
    ? element(
        "ul",
        { class: "plain" },
        texts.map((text) => element("li", {}, text)),
      )
    : null;
}

/** Return a closed part of the page with a heading that opens it. */
function folded(title, ...children) {
  return element("details", {}, element("summary", {}, title), ...children);
}

/** Return the terms and their descriptions, without those that have none. */
function terms(pairs) {
  const known = pairs.filter(([, text]) => text);
  return element(
    "dl",
    {},
    known.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]),
  );
}

/** Save a text as a file, by a link that only this page can follow. */
function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
