/* Keys, what they are, and the page that refreshes by itself. A key is typed where a field has the focus. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const find = (name) => document.querySelector(`[data-testid="${name}"]`);
  const shown = (place) => place && place.getClientRects().length > 0;
  const press = (place) => shown(place) && !place.disabled && place.click();

  const focusFilters = () => {
    const sheet = find("filter-sheet-open");
    if (shown(sheet) && sheet.getAttribute("aria-expanded") !== "true") sheet.click();
    const opener = find("time-open");
    if (shown(opener)) opener.focus();
  };

  const turnTab = (by) => {
    const links = [...document.querySelectorAll(".tabs:not([hidden]) .tab-link")];
    const at = links.findIndex((link) => link.classList.contains("active"));
    if (at >= 0) links[(at + by + links.length) % links.length].click();
  };

  /* The card that is meant: with the focus, under the pointer, or the first in sight. */
  const card = () => {
    const cards = [...document.querySelectorAll("[data-section]")];
    const seen = ({ top, bottom }) => bottom > 120 && top < window.innerHeight - 80;
    return cards.find((one) => one.contains(document.activeElement)) || cards.find((one) => one.matches(":hover"))
      || cards.find((one) => seen(one.getBoundingClientRect()));
  };
  const exportCard = () => {
    const link = card() && card().querySelector("[data-testid='export-csv'][href]");
    if (link) link.click();
  };

  const KEYS = {
    "?": ["This list", () => own.showKeys()],
    "/": ["Filters", focusFilters],
    t: ["Charts or tables", () => press(find("view-mode"))],
    r: ["Refresh", () => press(find("refresh"))],
    e: ["Export the card in focus, under the pointer or in sight as CSV", exportCard],
    "[": ["Tab before", () => turnTab(-1)],
    "]": ["Next tab", () => turnTab(1)],
  };
  const OTHERS = [
    ["Ctrl K", "Find a tab, person, project, model or action"], ["Esc", "Close a menu, list or dialog"],
    ["Enter", "Narrow to a row or cell"], ["Shift click", "The events behind a bar, point or row"],
    ["Shift Enter", "In a table the events behind a number, or the page of a name"],
  ];

  /* A dialog of the browser's own: it keeps the focus, Escape closes it, and it is gone when closed. */
  own.dialog = (label, className) => {
    const box = Object.assign(document.createElement("dialog"), { className });
    box.setAttribute("aria-label", label);
    box.addEventListener("close", () => box.remove());
    box.addEventListener("click", (event) => event.target === box && box.close());
    document.body.append(box);
    return box;
  };

  own.showKeys = () => {
    const box = own.dialog("Keys", "keys");
    const list = [...OTHERS, ...Object.entries(KEYS).map(([key, [label]]) => [key, label])];
    const made = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    const terms = list.map(([key, label]) => {
      const pair = document.createElement("div");
      const term = document.createElement("dt");
      term.append(...key.split(" ").map((one) => made("kbd", one)));
      pair.append(term, made("dd", label));
      return pair;
    });
    const rows = document.createElement("dl");
    rows.append(...terms);
    const close = Object.assign(made("button", "Close"), { type: "button", className: "quiet", onclick: () => box.close() });
    box.append(made("h2", "Keys"), rows, close);
    box.showModal();
  };

  const typing = (place) => place.isContentEditable || place.matches("input:not([type=checkbox]), textarea, select");
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && key.toLowerCase() === "k") {
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) own.showPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !KEYS[key]) return;
    if (typing(target) || document.querySelector("dialog[open], .modal.show")) return;
    event.preventDefault();
    KEYS[key][1]();
  });

  /* Refreshing by itself: not in hidden tabs, at once where one is seen again that is due. */
  const KEPT = "spendscope-refresh";
  let [every, last, asked] = [Number(window.localStorage.getItem(KEPT)) || 0, Date.now(), null];
  own.isDue = ({ every: seconds, since, hidden }) => seconds > 0 && !hidden && since >= 1000 * seconds;
  const look = () => {
    clearTimeout(asked);
    if (!every) return;
    const since = Date.now() - last;
    if (own.isDue({ every, since, hidden: document.hidden })) {
      last = Date.now();
      press(find("refresh"));
    }
    if (!document.hidden) asked = setTimeout(look, Math.max(1000 * every - (Date.now() - last), 50));
  };
  document.addEventListener("visibilitychange", look);
  document.addEventListener("change", ({ target }) => {
    if (target.id !== "auto-refresh") return;
    [every, last] = [Number(target.value), Date.now()];
    window.localStorage.setItem(KEPT, target.value);
    target.toggleAttribute("data-on", every > 0);
    look();
  });
  own.showRefresh = () => {
    const list = document.getElementById("auto-refresh");
    if (!list) return;
    list.value = String(every);
    list.toggleAttribute("data-on", every > 0);
    look();
  };

  /* The way to the filters is shown where there are filters. A rule of style that asks the body what is in
     it is asked with every element that comes: charts took twice as long. */
  const way = document.querySelector(".to-filters");
  const drawn = new MutationObserver(() => {
    const bar = document.getElementById("filter-bar");
    if (!bar) return;
    drawn.disconnect();
    const look = () => void (way.hidden = bar.hidden);
    new MutationObserver(look).observe(bar, { attributes: true, attributeFilter: ["hidden"] });
    look();
  });
  drawn.observe(document.getElementById("react-entry-point"), { childList: true, subtree: true });

  /* Charts are drawn for the screen: paper has another width, and is light. */
  const root = document.documentElement;
  const paint = (theme) => {
    if (root.dataset.bsTheme === theme) return;
    Object.assign(root.dataset, { bsTheme: theme, agThemeMode: theme });
    charts().forEach((one) => one.redraw && one.redraw());
  };
  let ownTheme = "";
  const charts = () => document.querySelectorAll(".dash-graph.js-plotly-plot");
  window.addEventListener("beforeprint", () => {
    ownTheme = root.dataset.bsTheme;
    paint("light");
    root.classList.add("printing");
    charts().forEach((one) => one.clientWidth && window.Plotly.relayout(one, { width: one.clientWidth, height: one.clientHeight }));
  });
  window.addEventListener("afterprint", () => {
    root.classList.remove("printing");
    paint(ownTheme);
    charts().forEach((one) => one.clientWidth && window.Plotly.relayout(one, { width: null, height: null, autosize: true }));
  });
})();
