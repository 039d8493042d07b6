/* Before the first paint: the theme the reader chose, else the system's; and what Dash will ask for
   first is asked for while its code is still being read. */
(() => {
  /* Styles that libraries make carry the nonce of this page: others, which somebody got into it as
     text, are not applied. */
  const { nonce } = document.currentScript;
  const { createElement } = Document.prototype;
  Document.prototype.createElement = function (name, ...how) {
    const made = createElement.call(this, name, ...how);
    if (made instanceof HTMLStyleElement) made.nonce = nonce;
    return made;
  };

  const kept = window.localStorage.getItem("spendscope-theme");
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = kept || (dark ? "dark" : "light");
  document.documentElement.dataset.bsTheme = theme;
  document.documentElement.dataset.agThemeMode = theme;

  /* The first layout is that of an address, read in a time zone. To ask Intl reads the formats of dates before the
     first question can leave: 20 ms. */
  const zone = () => (window.Temporal ? window.Temporal.Now.timeZoneId() : Intl.DateTimeFormat().resolvedOptions().timeZone);
  const headers = () => ({
    "X-Page-Address": window.location.pathname + window.location.search,
    "X-Time-Zone": zone() || "UTC",
  });
  const asked = new Map(["/_dash-layout", "/_dash-dependencies"].map((path) =>
    [path, window.fetch(path, { headers: headers() })]));

  /* An answer is taken once: who asks again is answered anew. */
  const { fetch } = window;
  window.fetch = (what, how) => {
    const path = String(what);
    const early = asked.get(path);
    asked.delete(path);
    if (early) return early;
    return fetch(what, path === "/_dash-layout" ? { ...how, headers: { ...how.headers, ...headers() } } : how);
  };
})();
