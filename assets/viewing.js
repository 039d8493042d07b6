/* Looking at the dashboard as somebody else: the page is loaded anew when it begins, when it is
   stopped by the banner's button, and when its time is over. */
(() => {
  const [STOP, BANNER, HOME] = ["viewing-stop", "viewing", "/settings/analytics"];

  const token = () => {
    const found = document.cookie.split("; ").find((one) => one.startsWith("_csrf_token="));
    return found ? decodeURIComponent(found.slice("_csrf_token=".length)) : "";
  };

  const stop = async (button) => {
    button.disabled = true;
    const headers = { "X-CSRFToken": token(), "Content-Type": "application/json" };
    try {
      await fetch("/api/v1/viewings/end", { method: "POST", headers, body: "{}" });
    } finally {
      window.location.assign(HOME);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest(`#${STOP}`);
    if (button) stop(button);
  });

  /* The banner comes with the page, and says how many ms are left: a moment after, the page is
     one's own again. */
  const comes = new MutationObserver(() => {
    const banner = document.getElementById(BANNER);
    if (!banner) return;
    comes.disconnect();
    const left = Number(banner.dataset.left);
    if (left) setTimeout(() => window.location.assign(HOME), Math.max(left, 0) + 1000);
  });
  comes.observe(document.documentElement, { childList: true, subtree: true });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    viewing: {
      begun: () => {
        const { triggered } = window.dash_clientside.callback_context;
        const begun = triggered.some((one) => one.value && one.prop_id.includes('"people-viewings"'));
        if (begun) window.location.assign(HOME);
        return window.dash_clientside.no_update;
      },
    },
  });
})();
