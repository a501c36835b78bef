"use strict";

// How to repeat a configuration: command, versions, fingerprints, reference results.

function repeatSection() {
  const make = () => {
    const row = currentRow();
    if (!row) return [element("p", {}, NO_ROWS)];
    const { commands, environment, plugins } = row.repeat;
    const known = currentBoard().references.filter(({ architecture }) => architecture === row.ranked.architecture);
    return [
      element(
        "div",
        { class: "controls" },
        rowChoice(),
        button("Copy", () => copy(commands.join("\n"))),
      ),
      element("pre", { tabindex: "0" }, commands.join("\n")),
      terms([
        ["Settings", row.ranked.settings],
        ["Environment", environment],
        ["Plugins", plugins],
        ["Reference", known.map(referenceText).join("; ") || "none for this architecture, data set and protocol"],
        ["Notes", row.notes.join("; ")],
      ]),
      runsTable(row),
      stamp(currentBoard()),
    ];
  };
  return [renewed(["row"], make)];
}

function referenceText({ name, status, score, source }) {
  return `${name}, ${status}: ${score === null ? "no such score" : `${REPORT.words} ${score}`} (${source})`;
}

function runsTable(row) {
  const columns = ["run", "seed", "fingerprint", "code", "created"].map((key) => ({
    key,
    title: key,
    text: (run) => String(run[key]),
  }));
  return table(columns, row.repeat.runs, { caption: "runs; equal fingerprints mean bit-identical results" });
}

/** Copy a text, also where a page opened from disk may not use the clipboard of the system. */
function copy(text) {
  const area = element("textarea", { class: "skip" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
