/* Before the first paint: the theme the reader chose, else the system's. */
(function () {
  const kept = window.localStorage.getItem("spendscope-theme");
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = kept || (dark ? "dark" : "light");
  document.documentElement.dataset.bsTheme = theme;
  document.documentElement.dataset.agThemeMode = theme;
})();
