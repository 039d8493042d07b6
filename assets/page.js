/* What needs no server: chart or table, theme, zone; and what the library leaves out. */

/* Columns stand where the reader dragged them, also after the table was away. */
const arranged = new WeakSet();
const ordered = (grid, key) => {
  if (arranged.has(grid)) return;
  arranged.add(grid);
  const kept = JSON.parse(window.localStorage.getItem(key) || "[]");
  grid.applyColumnState({ state: kept.map((colId) => ({ colId })), applyOrder: true });
  grid.addEventListener("dragStopped", () => {
    const order = grid.getColumnState().map((column) => column.colId);
    window.localStorage.setItem(key, JSON.stringify(order));
  });
};

window.dash_clientside = Object.assign({}, window.dash_clientside, {
  page: {
    zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",

    /* The remembered modes after a click: one for all sections, or one section's own. */
    choose: (_charts, _tables, _all, kept) => {
      const clicked = window.dash_clientside.callback_context;
      const modes = kept || { all: "chart", own: {} };
      if (!clicked.triggered.length || !clicked.triggered[0].value) {
        return window.dash_clientside.no_update;
      }
      const id = clicked.triggered_id;
      if (id === "view-mode") {
        return { all: modes.all === "chart" ? "table" : "chart", own: {} };
      }
      const own = Object.assign({}, modes.own);
      own[id.section || id.resource] = id.part === "mode-table" ? "table" : "chart";
      return { all: modes.all, own };
    },

    /* What the last of several stores was told. */
    latest: () => {
      const clicked = window.dash_clientside.callback_context;
      const told = clicked.triggered.length && clicked.triggered[0].value;
      return told || window.dash_clientside.no_update;
    },

    show: (kept, id) => {
      const modes = kept || { all: "chart", own: {} };
      const mode = modes.own[id.section || id.resource] || modes.all;
      return [mode, String(mode === "chart"), String(mode === "table")];
    },

    /* The same of a card that need not be a chart at all. */
    showCard: (kept, ids) => {
      const shown = ids.map((id) => window.dash_clientside.page.show(kept, id));
      const mode = shown.length ? shown[0][0] : window.dash_clientside.no_update;
      return [mode, shown.map((one) => one[1]), shown.map((one) => one[2])];
    },

    /* A table narrowed to what is searched, with the columns that are wanted in their order. */
    arrange: async (search, shown, options, id) => {
      const grid = await window.dash_ag_grid.getApiAsync(id);
      ordered(grid, `spendscope-columns-${id.section}`);
      grid.setGridOption("quickFilterText", search || "");
      const wanted = new Set(shown);
      const names = options.map((option) => option.value);
      grid.setColumnsVisible(names.filter((name) => wanted.has(name)), true);
      grid.setColumnsVisible(names.filter((name) => !wanted.has(name)), false);
      return names.filter((name) => wanted.has(name)).join(" ");
    },

    switched: (kept) => String(Boolean(kept) && kept.all === "table"),

    theme: (clicks, kept) => {
      const root = document.documentElement;
      let theme = kept || root.dataset.bsTheme;
      if (clicks) {
        theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
        window.localStorage.setItem("spendscope-theme", theme);
      }
      root.dataset.bsTheme = theme;
      root.dataset.agThemeMode = theme;
      return [theme, theme === "dark" ? "Light theme" : "Dark theme"];
    },
  },
});

/* A session that ended answers 401: go and sign in, and come back here. */
const asked = window.fetch;
window.fetch = async (...request) => {
  const answer = await asked(...request);
  if (answer.status === 401) {
    const here = window.location.pathname + window.location.search;
    window.location.assign("/sign-in?next=" + encodeURIComponent(here));
    /* Nobody reads this answer: the page is on its way out. */
    return new Promise(() => {});
  }
  return answer;
};

/* The profile menu closes as menus do. */
document.addEventListener("click", (event) => {
  for (const box of document.querySelectorAll("details.profile-box[open]")) {
    const within = box.contains(event.target);
    if (!within || event.target.closest(".menu a")) box.removeAttribute("open");
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.profile-box[open]").forEach((box) => {
    box.removeAttribute("open");
    box.querySelector("summary").focus();
  });
});
