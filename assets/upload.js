/* Settings → Data: a file is sent as it is, looked at by the server, then stored or dropped. */
(() => {
  const { make, tested, sentence, preview } = window.uploadSummary;
  const PATH = "/api/v1/imports";
  const REMEMBERED = "spendscope-upload";
  const MOVING = ["looking", "importing"];
  const STATES = { looking: "being read", ready: "ready to import", importing: "being imported" };
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
    request.onabort = () => failed(new Error("Cancelled: the file was not sent."));
    request.onload = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* no JSON: the sentence below */ }
      if (request.status === 202) return done(answer);
      failed(new Error(answer.error ? answer.error.message : "the file could not be sent"));
    };
    request.send(file);
    started(request);
  });

  const build = (box) => {
    const input = tested(make("input", { type: "file", className: "form-control", required: true }), "upload-file");
    const formats = make("select", { className: "form-select" }, make("option", { value: "", textContent: "Auto-detect" }),
      ...JSON.parse(box.dataset.formats).map(([value, label]) => make("option", { value, textContent: label })));
    const text = (placeholder, name, title) =>
      tested(make("input", { className: "form-control", placeholder, title, autocomplete: "off" }), name);
    const map = text("cost=total_usd", "upload-map", "As our_name=theirs: cost=total_usd, user=owner.id, provider='openai'");
    const user = text("if none is named", "upload-user", "Used where the file names none");
    const project = text("if none is named", "upload-project", "Used where the file names none");
    const start = text("2026-11-01T08:00Z", "upload-start", "For files that tell no dates");
    const end = text("2026-12-01", "upload-end", "Where the file sums up a period and tells no dates");
    const field = (label, control) => make("label", {}, make("span", { textContent: label }), control);
    const look = tested(make("button", { className: "toggle", textContent: "Preview", ariaPressed: "true" }), "upload-look");
    const store = tested(make("button", { className: "toggle", textContent: "Import", type: "button", hidden: true, ariaPressed: "true" }), "upload-import");
    const cancel = tested(make("button", { className: "quiet", textContent: "Cancel", type: "button", hidden: true }), "upload-cancel");
    const bar = make("progress", { max: 1, hidden: true, ariaLabel: "Upload" });
    const summary = tested(make("p", { className: "upload-summary", role: "status" }), "upload-summary");
    const seen = make("div", { className: "upload-seen" });
    const open = tested(make("ul", { className: "upload-open", hidden: true, ariaLabel: "Open uploads" }), "upload-open");
    const form = make("form", { className: "upload-form" }, field("File", input), field("Format", formats),
      field("Rename columns", map), field("Default user", user), field("Default project", project),
      field("Start time", start), field("End time", end), look);
    box.append(open, form, bar, summary, seen, make("div", { className: "upload-buttons" }, store, cancel));

    let key = "", resumed = false, request = null;
    const hold = (id) => {
      key = id;
      if (id) sessionStorage.setItem(REMEMBERED, id); else sessionStorage.removeItem(REMEMBERED);
    };
    const show = (told) => {
      const moving = MOVING.includes(told.state);
      summary.textContent = (resumed ? `${told.name}: ` : "") + sentence(told);
      seen.replaceChildren(...(moving ? [] : preview(told)));
      store.hidden = told.state !== "ready";
      cancel.hidden = !(moving || told.state === "ready");
      look.disabled = moving;
      bar.hidden = !moving;
      if (moving) bar.removeAttribute("value");
      if (told.storing && !moving) document.getElementById(box.dataset.reload)?.click();
      if (!moving && told.state !== "ready") { sessionStorage.removeItem(REMEMBERED); others(); }
    };
    const failed = (error) => {
      summary.textContent = error.message;
      look.disabled = false;
      bar.hidden = store.hidden = cancel.hidden = true;
    };
    const follow = async (told) => {
      for (;;) {
        show(told);
        if (!MOVING.includes(told.state) || !box.isConnected) return;
        await new Promise((wake) => setTimeout(wake, 400));
        if (key !== told.id) return;
        told = await ask("GET", key);
      }
    };
    const take = async (id) => {
      hold(id);
      resumed = true;
      try { await follow(await ask("GET", id)); } catch (error) { failed(error); }
    };
    /* What was begun elsewhere, or here before the page was left, waits on the server. */
    const waiting = (one) => {
      const act = (textContent, name, onclick) =>
        tested(make("button", { className: "quiet", textContent, type: "button", onclick }), name);
      return make("li", {}, make("span", { textContent: `${one.name}, by ${one.who}: ${STATES[one.state]}` }),
        act("Resume", "upload-take", async () => { await take(one.id); others(); }),
        act("Cancel", "upload-drop", async () => { await ask("DELETE", one.id).catch(failed); others(); }));
    };
    const others = async () => {
      const { uploads } = await ask("GET", "open").catch(() => ({ uploads: [] }));
      const there = uploads.filter((one) => one.id !== key && (MOVING.includes(one.state) || one.state === "ready"));
      open.replaceChildren(...there.map(waiting));
      open.hidden = !there.length;
      return uploads;
    };
    /* What was looked at is what is imported: another choice is looked at first. */
    form.addEventListener("input", () => {
      if (store.hidden) return;
      store.hidden = true;
      seen.replaceChildren();
      summary.textContent = "Something has changed: preview it again.";
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const file = input.files[0];
      if (!file) return;
      const told = { name: file.name, format: formats.value, map: map.value, user: user.value, project: project.value,
        start: start.value, end: end.value };
      seen.replaceChildren();
      look.disabled = true;
      store.hidden = true;
      cancel.hidden = bar.hidden = false;
      summary.textContent = "Sending …";
      resumed = false;
      try {
        if (key) await ask("DELETE", key).catch(() => {});
        hold("");
        const begun = await send(file, told, (share) => { bar.value = share; }, (one) => { request = one; });
        request = null;
        hold(begun.id);
        await follow(begun);
      } catch (error) { request = null; failed(error); }
    });
    store.addEventListener("click", async () => {
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
    others().then((uploads) => {
      const mine = uploads.find((one) => one.id === sessionStorage.getItem(REMEMBERED));
      if (mine && !key && !request) take(mine.id).then(others);
    });
  };

  window.uploadSummary.build = build;
})();
