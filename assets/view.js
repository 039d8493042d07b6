/* The whole view is in the address: what is chosen on cards stands beside the filters
   (components/page/views.py reads it). */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const [VIEW, MODE, PLACES] = ["view", "mode", 4]; // of one card: measure, breakdown, chart or table, form
  const read = () => new URLSearchParams(window.location.search);

  const views = (address) => new Map(address.getAll(VIEW).map((text) => {
    const [key, ...chosen] = text.split(".");
    return [key, Array.from({ length: PLACES }, (_, at) => chosen[at] || "")];
  }));

  /* No step of its own: Back leads to the question before. The server is told of what it draws; chart or
     table is no matter of its. */
  const write = (address, cards, tell) => {
    address.delete(VIEW);
    [...cards].sort().forEach(([key, chosen]) => chosen.some(Boolean)
      && address.append(VIEW, [key, ...chosen].join(".").replace(/\.+$/, "")));
    const query = address.toString();
    const search = query && `?${query}`;
    if (search === window.location.search) return;
    window.history.replaceState(window.history.state, "", window.location.pathname + search + window.location.hash);
    if (tell) window.dash_clientside.set_props("url", { search });
  };

  /* A measure or breakdown, unless it is the one that is declared. */
  own.rememberChoice = ({ key, measures, breakdowns }, measure, by) => {
    const address = read();
    const cards = views(address);
    const first = (all) => (all.length ? all[0].value : "");
    const rest = (cards.get(key) || []).slice(2);
    cards.set(key, [measure === first(measures) ? "" : measure, by === first(breakdowns) ? "" : by, ...rest]);
    write(address, cards, true);
  };

  /* Of a table over time its long form, as the server builds the card when it is turned to again. */
  own.rememberForm = (key, form) => {
    const address = read();
    const cards = views(address);
    const [measure = "", by = "", mode = ""] = cards.get(key) || [];
    cards.set(key, [measure, by, mode, form]);
    write(address, cards, true);
  };

  /* Chart or table: of all, and of the cards of this page that differ. */
  own.rememberModes = ({ all, own: each }, keys) => {
    const address = read();
    const cards = views(address);
    if (all === "table") address.set(MODE, all);
    else address.delete(MODE);
    keys.forEach((key) => {
      const [measure = "", by = "", , form = ""] = cards.get(key) || [];
      cards.set(key, [measure, by, each[key] && each[key] !== all ? each[key] : "", form]);
    });
    write(address, cards, false);
  };
  own.keepModes = () => {
    const keys = [...document.querySelectorAll("section[data-section]")].map((card) => card.dataset.section);
    const { data } = window.dash_component_api.getLayout("modes").props;
    if (keys.length && data) own.rememberModes(data, keys);
  };

  /* An address that says it comes before what this browser remembers. */
  const address = read();
  const said = [...views(address)].filter(([, chosen]) => chosen[2]);
  if (address.has(MODE) || said.length) {
    const all = address.get(MODE) === "table" ? "table" : "chart";
    const each = Object.fromEntries(said.map(([key, chosen]) => [key, chosen[2] === "table" ? "table" : "chart"]));
    window.localStorage.setItem("modes", JSON.stringify({ all, own: each }));
  }
})();
