/* Settings → Data: a file is sent as it is, looked at by the server, then stored or dropped. */
(() => {
  const PATH = "/api/v1/imports";
  const SHOWN = ["ts", "kind", "user", "project", "model", "input_tokens", "output_tokens", "cost", "status"];
  const dollars = (row) => row.cost_nano === undefined ? row : { ...row, cost: `$${Number(row.cost_nano) / 1e9}` };
  const MOVING = ["looking", "importing"];
  const count = (number) => Number(number).toLocaleString("en-US");

  const make = (tag, props = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };
  const tested = (node, name) => { node.dataset.testid = name; return node; };
  const token = () => {
    const found = document.cookie.split("; ").find((one) => one.startsWith("_csrf_token="));
    return found ? decodeURIComponent(found.slice("_csrf_token=".length)) : "";
  };
  const ask = async (method, key) => {
    const answer = await fetch(`${PATH}/${key}`, { method, headers: { "X-CSRFToken": token() } });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error ? told.error.message : "the server did not answer");
    return told;
  };

  /* Only XMLHttpRequest tells how much of a body has left. */
  const send = (file, told, progress, started) => new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${PATH}?${new URLSearchParams(told)}`);
    request.setRequestHeader("X-CSRFToken", token());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => progress(event.loaded / (event.total || 1));
    request.onerror = () => failed(new Error("the file could not be sent"));
    request.onabort = () => failed(new Error("Cancelled: nothing was sent to the end."));
    request.onload = () => {
      let said = {};
      try { said = JSON.parse(request.responseText); } catch { /* no JSON: said below */ }
      if (request.status === 202) return done(said);
      failed(new Error(said.error ? said.error.message : "the file could not be sent"));
    };
    request.send(file);
    started(request);
  });

  const sentence = (told) => {
    const { report, state, error, more } = told;
    const figures = `${count(report.accepted)} ${state === "ready" ? "would be new" : "new"} · `
      + `${count(report.duplicates)} duplicates · ${count(report.rejected)} rejected · ${count(report.unpriced)} unpriced`;
    if (state === "failed") return error;
    if (state === "looking") return `Looking at it … ${count(report.read)} records so far`;
    if (state === "importing") return `Importing … ${count(report.read)} records so far, ${count(report.accepted)} new`;
    if (state === "done") return `Imported as ${report.format}: ${figures}.`;
    if (state === "stopped") {
      return report.accepted && !told.looked
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
        textContent: gaps.length ? `No record fills: ${gaps.join(", ")}.` : "Every field is filled somewhere." }), "upload-gaps"));
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

  const build = (box) => {
    const input = tested(make("input", { type: "file", className: "form-control", required: true }), "upload-file");
    const formats = make("select", { className: "form-select" }, make("option", { value: "", textContent: "found by looking" }),
      ...JSON.parse(box.dataset.formats).map(([value, label]) => make("option", { value, textContent: label })));
    const text = (placeholder, name) =>
      tested(make("input", { className: "form-control", placeholder, autocomplete: "off" }), name);
    const map = text("cost=total_usd, user=employee", "upload-map");
    const user = text("where the file is silent", "upload-user");
    const project = text("where the file is silent", "upload-project");
    const start = text("2026-11-01T08:00Z, for a trace of offsets", "upload-start");
    const field = (label, control) => make("label", {}, make("span", { textContent: label }), control);
    const look = tested(make("button", { className: "toggle", textContent: "Look at it", ariaPressed: "true" }), "upload-look");
    const store = tested(make("button", { className: "toggle", textContent: "Import it", type: "button", hidden: true, ariaPressed: "true" }), "upload-import");
    const cancel = tested(make("button", { className: "quiet", textContent: "Cancel", type: "button", hidden: true }), "upload-cancel");
    const bar = make("progress", { max: 1, hidden: true, ariaLabel: "Upload" });
    const said = tested(make("p", { className: "upload-said", role: "status" }), "upload-said");
    const seen = make("div", { className: "upload-seen" });
    const form = make("form", { className: "upload-form" }, field("File", input), field("Format", formats),
      field("Columns of other names", map), field("User", user), field("Project", project),
      field("First instant", start), look);
    box.append(form, bar, said, seen, make("div", { className: "upload-buttons" }, store, cancel));

    let key = "", committed = false, request = null;
    const show = (told) => {
      const moving = MOVING.includes(told.state);
      said.textContent = sentence({ ...told, looked: !committed });
      seen.replaceChildren(...(moving ? [] : preview(told)));
      store.hidden = told.state !== "ready";
      cancel.hidden = !(moving || told.state === "ready");
      look.disabled = moving;
      bar.hidden = !moving;
      if (moving) bar.removeAttribute("value");
      if (committed && !moving) document.getElementById(box.dataset.reload)?.click();
    };
    const failed = (error) => {
      said.textContent = error.message;
      look.disabled = false;
      bar.hidden = store.hidden = cancel.hidden = true;
    };
    const follow = async (told) => {
      for (;;) {
        show(told);
        if (!MOVING.includes(told.state) || !box.isConnected) return;
        await new Promise((wake) => setTimeout(wake, 400));
        told = await ask("GET", key);
      }
    };
    /* What was looked at is what is imported: another choice is looked at first. */
    form.addEventListener("input", () => {
      if (store.hidden) return;
      store.hidden = true;
      seen.replaceChildren();
      said.textContent = "Look at it again: something else was chosen.";
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const file = input.files[0];
      if (!file) return;
      const told = { name: file.name, format: formats.value, map: map.value, user: user.value, project: project.value,
        start: start.value };
      seen.replaceChildren();
      look.disabled = true;
      store.hidden = true;
      cancel.hidden = bar.hidden = false;
      said.textContent = "Sending …";
      committed = false;
      try {
        if (key) await ask("DELETE", key).catch(() => {});
        key = "";
        const begun = await send(file, told, (share) => { bar.value = share; }, (one) => { request = one; });
        request = null;
        key = begun.id;
        await follow(begun);
      } catch (error) { request = null; failed(error); }
    });
    store.addEventListener("click", async () => {
      committed = true;
      store.hidden = true;
      try { await follow(await ask("POST", key)); } catch (error) { failed(error); }
    });
    cancel.addEventListener("click", async () => {
      if (request) return request.abort();
      try {
        const told = await ask("DELETE", key);
        if (!MOVING.includes(told.state)) show(told);
      } catch (error) { failed(error); }
    });
  };

  const mount = () => {
    for (const box of document.querySelectorAll("[data-formats]:not([data-built])")) {
      box.dataset.built = "true";
      build(box);
    }
  };
  new MutationObserver(mount).observe(document.documentElement, { childList: true, subtree: true });
})();
