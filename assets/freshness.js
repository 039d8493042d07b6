/* How fresh each source is: asked as it is opened, of the sources that this reader sees (callbacks/api/freshness.py). */
(() => {
  const made = (name, more) => Object.assign(document.createElement(name), more);
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

  /* In the reader's language, and in the zone that the filters have. */
  const zone = () => (window.dash_component_api.getLayout("time-menu").props.choice || {}).zone;
  const moment = (iso) => new Intl.DateTimeFormat(navigator.language, { dateStyle: "medium", timeStyle: "short", timeZone: zone() }).format(new Date(iso));
  const ago = (iso, now) => {
    const seconds = (new Date(now) - new Date(iso)) / 1000;
    const [unit, size] = UNITS.find(([, one]) => seconds >= one) || ["minute", 60];
    return new Intl.RelativeTimeFormat(navigator.language, { numeric: "auto", style: "short" }).format(-Math.floor(seconds / size), unit);
  };

  const line = (name, iso, now) => {
    const row = made("div", { className: "as-of-row" });
    const when = made("dd", { textContent: iso ? moment(iso) : "not yet" });
    if (iso) when.append(made("small", { textContent: ago(iso, now) }));
    row.append(made("dt", { textContent: name }), when);
    return row;
  };
  const lines = ({ now, sources, litellm_sync: sync }) => {
    const all = sources.map(({ source, last_event: at }) => line(source, at, now));
    if (!sync) return all;
    const failed = sync.failures ? ` (failed ${sync.failures === 1 ? "once" : `${sync.failures} times`} since)` : "";
    return [...all, line(`LiteLLM's database read${failed}`, sync.last_success, now)];
  };

  const button = () => document.querySelector("#last-events .as-of");
  const opened = () => document.querySelector("#last-events .as-of-menu");
  const close = () => {
    if (!opened()) return;
    opened().remove();
    button().setAttribute("aria-expanded", "false");
  };
  const open = async () => {
    const menu = made("div", { className: "as-of-menu", tabIndex: -1 });
    menu.setAttribute("role", "dialog");
    menu.setAttribute("aria-label", "Last events");
    const list = made("dl");
    const said = made("p", { textContent: "Looking …" });
    menu.append(said, list);
    document.getElementById("last-events").append(menu);
    button().setAttribute("aria-expanded", "true");
    menu.focus();
    const answer = await fetch("/api/v1/freshness").then((one) => (one.ok ? one.json() : null), () => null);
    said.textContent = !answer ? "It could not be asked: try again." : answer.sources.length ? "The last event of each source" : "There are no events yet.";
    if (answer) list.append(...lines(answer));
  };

  document.addEventListener("click", ({ target }) => {
    if (target.closest("#last-events .as-of")) {
      if (opened()) close();
      else open();
    } else if (!target.closest(".as-of-menu")) close();
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !opened()) return;
    close();
    button().focus();
  });
})();
