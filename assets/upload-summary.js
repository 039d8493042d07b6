/* What an upload says: its state in a sentence, its first rows, what is wrong with it. */
(() => {
  const SHOWN = ["ts", "kind", "user", "project", "model", "input_tokens", "output_tokens", "cost", "status"];
  const dollars = (row) => row.cost_nano === undefined ? row : { ...row, cost: `$${Number(row.cost_nano) / 1e9}` };
  const count = (number) => Number(number).toLocaleString("en-US");


  const make = (tag, props = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };
  const tested = (node, name) => { node.dataset.testid = name; return node; };

  const sentence = (told) => {
    const { report, state, error, more } = told;
    const figures = `${count(report.accepted)} ${state === "ready" ? "would be new" : "new"} · `
      + `${count(report.duplicates)} duplicates · ${count(report.rejected)} rejected · ${count(report.unpriced)} unpriced`;
    if (state === "failed") return error;
    if (state === "looking") return `Reading … ${count(report.read)} records so far`;
    if (state === "importing") return `Importing … ${count(report.read)} records so far, ${count(report.accepted)} new`;
    if (state === "done") return `Imported as ${report.format}: ${figures}.`;
    if (state === "stopped") {
      return report.accepted && told.storing
        ? `Stopped. ${count(report.accepted)} events are stored and stay; importing the file again adds only the rest.`
        : "Cancelled: nothing was stored.";
    }
    return `Format ${report.format}. ${more ? `Of the first ${count(report.read)} records` : `Of ${count(report.read)} records`} ${figures}.`;
  };

  const preview = (told) => {
    const { gaps, report } = told;
    const rows = told.rows.map(dollars);
    const parts = [];
    if (rows.length) {
      const names = SHOWN.filter((name) => rows.some((row) => row[name] !== undefined));
      const head = make("tr", {}, ...names.map((name) => make("th", { textContent: name, scope: "col" })));
      const lines = rows.map((row) =>
        make("tr", {}, ...names.map((name) => make("td", { textContent: row[name] ?? "–" }))));
      parts.push(make("div", { className: "upload-rows" },
        tested(make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)), "upload-rows")));
      parts.push(tested(make("p", { className: "help",
        textContent: gaps.length ? `Empty in every record: ${gaps.join(", ")}.` : "No field is empty in every record." }), "upload-gaps"));
    }
    if (report.rejections.length) {
      parts.push(tested(make("ul", { className: "upload-rejections" },
        ...report.rejections.map((one) => make("li", { textContent: `${one.where}: ${one.reason}` }))), "upload-rejections"));
    }
    if (report.notes.length) {
      parts.push(make("ul", { className: "upload-rejections" }, ...report.notes.map((one) => make("li", { textContent: `${one.what} (${one.times} ×)` }))));
    }
    return parts;
  };

  window.uploadSummary = { make, tested, sentence, preview };
})();
