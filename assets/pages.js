/* The way from a name to the page about it, beside the click that narrows: a small sign on hover and
   focus. Which fields have pages, the server has said (components/page/layout.py). */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);
  const ONWARD = "M6 3.5 10.5 8 6 12.5";
  let pages = null;
  const known = () => (pages = pages || JSON.parse(document.getElementById("tab").dataset.pages));

  /* An address with the filters of this one, but for those of a field: what a page is about is no filter
     of it. */
  const address = (path, field) => {
    const chosen = new URLSearchParams(window.location.search);
    chosen.delete(field);
    return path + (chosen.size ? `?${chosen}` : "");
  };

  /* The path of the page about a value; null of what has none, and of the page that is shown. */
  own.pageOf = (field, value) => {
    const tab = typeof value === "string" && value !== "(none)" && known()[field];
    const path = tab && `/settings/analytics/${tab}/${encodeURIComponent(value)}`;
    return path && path !== window.location.pathname ? { field, path } : null;
  };
  /* The same of what a click on a mark narrows to, if that is one value of one field. */
  own.pageOfMark = (values) => {
    const all = Object.entries(values || {});
    return all.length === 1 ? own.pageOf(...all[0]) : null;
  };
  own.openPage = ({ field, path }) => {
    window.dash_clientside.set_props("events-drawer", { is_open: false });
    own.turn(address(path, field));
    window.scrollTo(0, 0);
  };

  /* Links go on with the filters as they are when they are followed; a new window gets them, too. */
  const link = ({ target }) => target.closest && target.closest("a[data-turn]");
  const complete = (event) => {
    const found = link(event);
    if (found) found.setAttribute("href", address(found.pathname, found.dataset.turn));
  };
  document.addEventListener("pointerdown", complete, true);
  document.addEventListener("focusin", complete);
  document.addEventListener("click", (event) => {
    const found = link(event);
    if (!found || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    own.openPage({ field: found.dataset.turn, path: found.pathname });
  });

  const LABEL = "Open the page of";
  own.pageLink = (page, name, more) => h("a", {
    href: page.path, "data-turn": page.field, className: "open-page", title: `${LABEL} ${name}`,
    "aria-label": `${LABEL} ${name}`, "data-testid": "open-page", ...more,
  }, own.icon(ONWARD));

  /* A cell that is a link to the page of its value, in the list of events. */
  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  cells.PageLink = ({ data, colDef: { field } }) => {
    const [text, page] = [(data || {})[`${field}_text`], data && own.pageOf(field, data[field])];
    return page ? h("a", { href: page.path, "data-turn": page.field }, text) : text;
  };
  /* The time of an event, as the way to the conversation or run that it belongs to. */
  cells.TimelineLink = ({ data, colDef: { field } }) => {
    const { conversation_id: talk, run_id: run, [`${field}_text`]: text } = data || {};
    const page = talk ? own.pageOf("conversation_id", talk) : own.pageOf("run_id", run);
    const title = talk ? "Open this conversation" : "Open this run";
    return page ? h("a", { href: page.path, "data-turn": page.field, title, "data-testid": "open-timeline" }, own.number(text)) : own.number(text);
  };
})();
