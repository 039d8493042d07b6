/* Ctrl+K: what is typed is found among tabs, pages, actions, models, and the people and projects that this
   reader may filter by. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const MOST = 8; // of a kind
  const ONWARD = "<svg viewBox='0 0 16 16' width='16' height='16' fill='none' stroke='currentColor' stroke-width='1.5' stroke-linecap='round'><path d='M6 3.5 10.5 8 6 12.5'/></svg>";
  const button = (name) => document.querySelector(`[data-testid="${name}"]`);
  const made = (name, more) => Object.assign(document.createElement(name), more);

  const links = (selector, kind) => [...document.querySelectorAll(selector)]
    .filter((link) => !link.closest("[hidden]") || kind === "Tab")
    .map((link) => ({ kind, label: link.textContent, run: () => link.click() }));

  /* An action is one where its button is; of a hidden bar there are none. */
  const action = (label, name) => {
    const place = button(name);
    return place && !place.disabled && !place.closest("#filter-bar[hidden]") ? [{ kind: "Action", label, run: () => place.click() }] : [];
  };
  const actions = () => [
    ...action("Charts or tables", "view-mode"), ...action("Refresh", "refresh"), ...action("Only my own activity", "filter-users-me"),
    ...action("Clear all filters", "filter-clear"), ...action("Copy link to this view", "copy-view"), ...action("Choose a time", "time-open"),
    { kind: "Action", label: "Light or dark", run: () => document.getElementById("theme-button").click() },
    { kind: "Action", label: "Print", run: () => window.print() }, { kind: "Action", label: "Keys", run: () => own.showKeys() },
  ];

  /* On a page without filters, what narrows leads to Analytics. */
  const narrow = (field, value) => {
    if (document.querySelector("#filter-bar:not([hidden])")) own.narrow({ values: { [field]: value } });
    else own.turn(`/settings/analytics?${new URLSearchParams({ [field]: value })}`);
  };
  const ask = (path) => fetch(`/api/v1/${path}`).then((answer) => (answer.ok ? answer.json() : []), () => []);
  const people = (kind, field, text) => ask(`options/${field}s?${new URLSearchParams({ q: text, limit: MOST })}`).then((found) =>
    found.map(({ value, label }) => ({ kind, label, page: own.pageOf(field, value), run: () => narrow(field, value) })));
  const models = () => ask("query?metrics=requests&by=model&order=-requests&limit=100&preset=last_n_days&n=90").then(({ rows = [] }) =>
    rows.filter(({ model }) => model).map(({ model }) => ({ kind: "Model", label: model, page: own.pageOf("model", model), run: () => narrow("model", model) })));

  own.showPalette = () => {
    const box = own.dialog("Find", "palette");
    const field = made("input", { type: "text", className: "form-control", placeholder: "Tab, person, project, model or action", autocomplete: "off" });
    const list = made("ul", { id: "palette-list" });
    const attributes = { role: "combobox", "aria-expanded": "true", "aria-controls": list.id, "aria-label": "Find" };
    Object.entries(attributes).forEach(([name, value]) => field.setAttribute(name, value));
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Found");
    const here = [...links(".tab-link", "Tab"), ...links(".rail-link", "Page"), ...actions()];
    let [found, at, asked, known, others] = [[], 0, 0, [], null];

    const mark = (next) => {
      at = found.length ? (next + found.length) % found.length : 0;
      [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
      const chosen = list.children[at];
      field.setAttribute("aria-activedescendant", chosen ? chosen.id : "");
      if (chosen) chosen.scrollIntoView({ block: "nearest" });
    };
    const take = (one, page) => {
      box.close();
      if (page) own.openPage(page);
      else one.run();
    };
    /* Beside who narrows stands the way to their page: for the keyboard, Shift and Enter. */
    const way = (one) => {
      const sign = made("span", { className: "open-page", title: `Open the page of ${one.label} (Shift Enter)`, innerHTML: ONWARD });
      sign.setAttribute("aria-hidden", "true");
      sign.addEventListener("click", () => take(one, one.page));
      return sign;
    };
    const show = (all, place) => {
      found = all;
      list.replaceChildren(...all.map((one, number) => {
        const item = made("li", { id: `palette-${number}`, onclick: ({ target }) => target.closest(".open-page") || take(one) });
        item.setAttribute("role", "option");
        item.append(made("span", { textContent: one.label }), made("small", { textContent: one.kind }));
        if (one.page) item.append(way(one));
        return item;
      }));
      mark(place);
    };
    const matching = (all, text) => all.filter(({ label }) => label.toLowerCase().includes(text)).slice(0, text ? MOST : all.length);
    /* Of what is asked for nothing is shown before it is answered, and that stays when the models come. */
    const draw = (place) => {
      const text = field.value.trim().toLowerCase();
      show([...matching(here, text), ...(others ? [...others, ...matching(known, text)] : [])], place);
    };
    const look = async () => {
      const text = field.value.trim().toLowerCase();
      const mine = (asked += 1);
      others = null;
      draw(0);
      if (!text) return;
      const more = await Promise.all([people("Person", "user", text), people("Project", "project", text)]);
      if (mine !== asked) return;
      others = more.flat();
      draw(0);
    };
    const KEYS = { ArrowDown: () => mark(at + 1), ArrowUp: () => mark(at - 1), Enter: ({ shiftKey }) => found[at] && take(found[at], shiftKey && found[at].page) };
    field.addEventListener("input", look);
    field.addEventListener("keydown", (event) => {
      if (!KEYS[event.key]) return;
      event.preventDefault();
      KEYS[event.key](event);
    });
    box.append(field, list);
    box.showModal();
    look();
    models().then((all) => {
      known = all;
      draw(at);
    });
  };
})();
