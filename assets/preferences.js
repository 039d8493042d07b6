/* What the reader prefers, where this browser holds no choice of its own; a change made here is one. */
(() => {
  const KEPT = "spendscope-theme";
  const none = () => window.dash_clientside.no_update;

  const theme = (preferred, changed) => {
    const root = document.documentElement;
    if (!changed && (!preferred || window.localStorage.getItem(KEPT))) return [none(), none()];
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const shown = preferred || (dark ? "dark" : "light");
    if (changed && preferred) window.localStorage.setItem(KEPT, preferred);
    if (changed && !preferred) window.localStorage.removeItem(KEPT);
    root.dataset.bsTheme = shown;
    root.dataset.agThemeMode = shown;
    return [shown, shown === "dark" ? "Light theme" : "Dark theme"];
  };

  const mode = (preferred, changed, kept) => {
    const own = kept && !kept.preferred;
    if (!changed && (own || !preferred)) return none();
    return { all: preferred || "chart", own: {}, preferred: true };
  };

  const apply = (preferred, modes) => {
    if (!preferred) return [none(), none(), none()];
    const changed = preferred.changed || [];
    return [
      ...theme(preferred.theme, changed.includes("theme")),
      mode(preferred.mode, changed.includes("mode"), modes),
    ];
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, { preferences: { apply } });
})();
