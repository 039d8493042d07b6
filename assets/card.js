/* A section as one component: head, choices, chart, table, state (components/page/cards.py declares
   it, callbacks/analytics/redraw.py answers). Chart or table is switched here, without a request. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (own.h = (...parts) => window.React.createElement(...parts));
  const testid = (name) => ({ "data-testid": name });

  /* Whether an answer to this card is on its way. */
  const useWaiting = () => window.React.useContext(window.dash_component_api.DashContext).useLoading();

  /* Whether the element is in the window or nearly so; what is hidden is not. */
  const useNear = (place, margin) => {
    const [near, setNear] = window.React.useState(false);
    window.React.useEffect(() => {
      const told = (entries) => setNear(entries[entries.length - 1].isIntersecting);
      const watch = new IntersectionObserver(told, { rootMargin: `${margin}px 0px` });
      watch.observe(place.current);
      return () => watch.disconnect();
    }, []);
    return near;
  };

  /* Work that is due: at once where the place is near, else when the browser has time. */
  own.useWhenNear = (place, margin, due, work, changes) => {
    const near = useNear(place, margin);
    window.React.useEffect(() => {
      if (!due) return undefined;
      if (near) return void work();
      const [later, never] = window.requestIdleCallback
        ? [window.requestIdleCallback, window.cancelIdleCallback]
        : [(wanted) => setTimeout(wanted, 100), clearTimeout];
      const waiting = later(work, { timeout: 1000 });
      return () => never(waiting);
    }, [near, due, ...changes]);
  };

  const choice = (props, prop, label, options) => {
    if (options.length < 2) return null;
    return h("select", {
      className: "form-select form-select-sm choice", name: `${label} (${props.declared.key})`,
      "aria-label": `${label} of ${props.declared.title}`, value: props[prop],
      onChange: (event) => props.setProps({ [prop]: event.target.value }),
    }, options.map(({ value, label: text }) => h("option", { key: value, value }, text)));
  };

  const mode = (props, name, label) => h("button", {
    type: "button", className: `mode mode-${name}`, "aria-pressed": String(props.mode === name),
    onClick: () => own.chooseMode(props.declared.key, name), ...testid(`mode-${name}`),
  }, label);

  const events = (section, metric, which) => h("button", {
    type: "button", className: "quiet show-events", title: `Show the events behind ${which}`,
    "aria-label": `Show the events behind ${which}`, ...testid("show-events"),
    onClick: () => own.showEvents({ section, metric }),
  }, "Events");

  const tools = (props) => {
    const { declared, answer, measure } = props;
    const modes = { className: "modes", role: "group", "aria-label": `Show ${declared.title} as` };
    const file = {
      className: "quiet", download: "", title: "All rows as CSV", href: answer.file || undefined,
    };
    return h("div", { className: "tools" },
      choice(props, "measure", "Measure", declared.measures),
      choice(props, "by", "Break down", declared.breakdowns),
      h("div", modes, mode(props, "chart", "Chart"), mode(props, "table", "Table")),
      events(declared.key, measure || declared.metrics[0].value, declared.title),
      h("a", { ...file, ...testid("export-csv") }, "CSV"));
  };

  const head = (props) => h("header", { className: "card-head" },
    h("div", null, h("h2", null, props.declared.title),
      h("span", { className: "help" }, props.declared.help)),
    tools(props));

  /* Why there is nothing to see, and the way to ask again. */
  const state = ({ answer, retries, setProps }) => [
    h("div", { key: "state", className: "state", role: "status", ...testid("state") },
      answer.sentence || ""),
    answer.state === "failed" && h("button", {
      key: "retry", type: "button", className: "retry quiet",
      onClick: () => setProps({ retries: (retries || 0) + 1 }),
    }, "Retry"),
  ];

  own.Card = (props) => {
    const { declared, answer } = props;
    const table = own.useTableChoices(declared);
    const waiting = useWaiting();
    const ready = answer.state === "ready";
    const body = [
      h("div", { key: "chart", className: "as-chart", ...testid("chart") },
        h(own.Chart, { figure: ready ? answer.figure : null, declared, shown: props.mode === "chart" })),
      h("div", { key: "table", className: "as-table", ...testid("table") },
        h(own.TableTools, { declared, ...table }),
        h(own.Table, { answer, declared, shown: props.mode === "table", ...table })),
      ...state(props),
    ];
    return h("section", {
      id: props.id, className: declared.className, "aria-label": declared.title,
      "data-section": declared.key, "data-state": answer.state, "data-mode": props.mode,
      "data-waiting": String(waiting), ...testid(`section-${declared.key}`),
    }, head(props),
    h("p", { className: "summary", "aria-live": "polite" }, answer.summary || ""),
    h("div", { className: "card-body" }, body));
  };

  const number = (section, { value: name, label, help }, told) => h("div", {
    key: name, className: "kpi", title: help,
  },
  h("div", { className: "kpi-label" }, label),
  h("div", { className: "kpi-value", "data-value": told.exact, ...testid(`kpi-${name}`) }, told.text),
  h("div", { className: `kpi-change ${told.mood}` }, told.change),
  events(section, name, label));

  const UNKNOWN = { text: "–", exact: "", change: "", mood: "" };

  own.Numbers = (props) => {
    const { declared, answer } = props;
    const told = answer.numbers || {};
    return h("section", {
      id: props.id, className: declared.className, "data-state": answer.state,
      "data-waiting": String(useWaiting()), ...testid(`section-${declared.key}`),
    }, h("h2", { className: "visually-hidden" }, declared.title),
    h("div", { className: "kpis" },
      declared.numbers.map((one) => number(declared.key, one, told[one.value] || UNKNOWN))),
    ...state(props));
  };
})();
