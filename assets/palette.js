/* Ctrl+K: what is typed is found among tabs, pages, actions, models, and the people and projects that this
   reader may filter by. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const MOST = 8; // of a kind
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
    found.map(({ value, label }) => ({ kind, label, run: () => narrow(field, value) })));
  const models = () => ask("query?metrics=requests&by=model&order=-requests&limit=100&preset=last_n_days&n=90").then(({ rows = [] }) =>
    rows.filter(({ model }) => model).map(({ model }) => ({ kind: "Model", label: model, run: () => narrow("model", model) })));

  own.showPalette = () => {
    const box = own.dialog("Find", "palette");
    const field = made("input", { type: "text", className: "form-control", placeholder: "Tab, person, project, model or action", autocomplete: "off" });
    const list = made("ul", { id: "palette-list" });
    const attributes = { role: "combobox", "aria-expanded": "true", "aria-controls": list.id, "aria-label": "Find" };
    Object.entries(attributes).forEach(([name, value]) => field.setAttribute(name, value));
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Found");
    const here = [...links(".tab-link", "Tab"), ...links(".rail-link", "Page"), ...actions()];
    let [found, at, asked, known] = [[], 0, 0, []];

    const mark = (next) => {
      at = found.length ? (next + found.length) % found.length : 0;
      [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
      const chosen = list.children[at];
      field.setAttribute("aria-activedescendant", chosen ? chosen.id : "");
      if (chosen) chosen.scrollIntoView({ block: "nearest" });
    };
    const take = (one) => {
      box.close();
      one.run();
    };
    const show = (all) => {
      found = all;
      list.replaceChildren(...all.map((one, place) => {
        const item = made("li", { id: `palette-${place}`, onclick: () => take(one) });
        item.setAttribute("role", "option");
        item.append(made("span", { textContent: one.label }), made("small", { textContent: one.kind }));
        return item;
      }));
      mark(0);
    };
    const matching = (all, text) => all.filter(({ label }) => label.toLowerCase().includes(text)).slice(0, text ? MOST : all.length);
    const look = async () => {
      const text = field.value.trim().toLowerCase();
      const mine = (asked += 1);
      show(matching(here, text));
      if (!text) return;
      const more = await Promise.all([people("Person", "user", text), people("Project", "project", text)]);
      if (mine === asked) show([...matching(here, text), ...more.flat(), ...matching(known, text)]);
    };
    const KEYS = { ArrowDown: () => mark(at + 1), ArrowUp: () => mark(at - 1), Enter: () => found[at] && take(found[at]) };
    field.addEventListener("input", look);
    field.addEventListener("keydown", (event) => {
      if (!KEYS[event.key]) return;
      event.preventDefault();
      KEYS[event.key]();
    });
    box.append(field, list);
    box.showModal();
    look();
    models().then((all) => {
      known = all;
      look();
    });
  };
})();
