/* What needs no server: chart or table, theme, zone; and what the library leaves out. */

const MODES = { all: "chart", own: {} };
const modeOf = (kept, key) => {
  const { all, own } = kept || MODES;
  return own[key] || all;
};

/* One of the two signs is there at a time: the focus goes on to the other. */
const keepFocus = () => {
  const signs = document.activeElement && document.activeElement.closest(".tab-budgets .modes");
  const move = () => signs.querySelector("[aria-pressed='false']").focus();
  if (signs) requestAnimationFrame(() => requestAnimationFrame(move));
};

/* The same before Dash has read its store: what is drawn first need not move. */
(window.spendscope = window.spendscope || {}).rememberedMode = (key) => {
  try {
    return modeOf(JSON.parse(window.localStorage.getItem("modes")), key);
  } catch {
    return modeOf(null, key);
  }
};

window.dash_clientside = Object.assign({}, window.dash_clientside, {
  page: {
    /* The remembered modes after a click: one for all cards. */
    toggle: (clicks, kept) => {
      if (!clicks) return window.dash_clientside.no_update;
      return { all: (kept || MODES).all === "chart" ? "table" : "chart", own: {} };
    },

    /* Or a settings card's own. */
    choose: (_charts, _tables, kept) => {
      const clicked = window.dash_clientside.callback_context;
      if (!clicked.triggered.length || !clicked.triggered[0].value) {
        return window.dash_clientside.no_update;
      }
      const { part, resource } = clicked.triggered_id;
      const { all, own } = kept || MODES;
      return { all, own: { ...own, [resource]: part === "mode-table" ? "table" : "chart" } };
    },

    /* What the last of several stores was told. */
    latest: () => {
      const clicked = window.dash_clientside.callback_context;
      const told = clicked.triggered.length && clicked.triggered[0].value;
      return told || window.dash_clientside.no_update;
    },

    /* The mode of every section's card. */
    show: (kept, ids) => {
      const keys = ids.map((id) => id.card);
      if (keys.length) setTimeout(() => window.spendscope.rememberModes(kept || MODES, keys));
      return keys.map((key) => modeOf(kept, key));
    },

    /* The same of a settings card, which need not be a chart at all. */
    showCard: (kept, ids) => {
      const modes = ids.map((id) => modeOf(kept, id.resource));
      const pressed = (mode) => modes.map((one) => String(one === mode));
      keepFocus();
      return [modes.length ? modes[0] : window.dash_clientside.no_update, pressed("chart"), pressed("table")];
    },

    /* Links carry the filters along, and say where the reader is: as they arrived, they know their places. */
    carry: (search, path, hrefs, looks) => {
      const places = hrefs.map((href) => href.split("?")[0]);
      const names = looks.map((look) => look.split(" ")[0]);
      const analytics = path.replace(/\/$/, "") === "/settings/analytics";
      const first = names.indexOf("tab-link");
      const here = (place, at) => names[at] !== "menu-item" && (analytics && at === first || path === place || path.startsWith(`${place}/`));
      return [places.map((place) => place + (search || "")), names.map((name, at) => name + (here(places[at], at) ? " active" : ""))];
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

/* A session that ended answers 401: go and sign in, and come back here. One that looks as somebody
   else since this page was loaded, or no more, says so: nothing of both is mixed. */
const ask = window.fetch;
window.fetch = async (what, how) => {
  const shown = document.getElementById("viewing")?.dataset.of || "own";
  const callback = String(what).startsWith("/_dash-update-component");
  const answer = await ask(what, callback ? { ...how, headers: { ...how.headers, "X-Viewing": shown } } : how);
  if (answer.status === 401) {
    const here = window.location.pathname + window.location.search;
    window.location.assign("/sign-in?next=" + encodeURIComponent(here));
    /* Nobody reads this answer: the page is on its way out. */
    return new Promise(() => {});
  }
  if (answer.headers.has("X-Viewing")) {
    window.location.assign("/settings/analytics");
    return new Promise(() => {});
  }
  return answer;
};

/* Return on a cell of a table is a click on it. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey) return;
  const cell = event.target.closest && event.target.closest(".ag-cell");
  if (cell) cell.click();
});

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
