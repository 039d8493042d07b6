/* Numbers without a chart: in a band, or large, each with a line of its course, above one strip of what
   they are made of (components/page/headline.py declares and answers them). */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);
  const testid = (name) => ({ "data-testid": name });
  const UNKNOWN = { text: "–", exact: "" };
  const [WIDE, HIGH, EDGE] = [116, 40, 3];

  /* The number itself leads to its events. */
  const value = (section, { value: name, label }, told, className) => h("button", {
    type: "button", className, "data-value": told.exact, "aria-label": `${label}: ${own.number(told.text)}, show its events`,
    onClick: () => own.showEvents({ section, metric: name }), ...testid(`kpi-${name}`),
  }, own.number(told.text));

  /* A path through what is known; what is not is a gap. */
  const path = (points) => points.map((point, at) => (point
    ? `${at && points[at - 1] ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}` : "")).join("");

  /* Now and before on one scale. The last step is paler where its stretch still runs. */
  const spark = (course, running) => {
    if (!course || course[0].length < 2) return null;
    const largest = Math.max(0, ...course.flat().filter((one) => one !== null)) || 1;
    const step = WIDE / (course[0].length - 1);
    const [now, before = []] = course.map((values) => values.map((one, at) =>
      (one === null ? null : [at * step, HIGH - EDGE - (one / largest) * (HIGH - 2 * EDGE)])));
    const whole = running && now.length > 2 ? now.slice(0, -1) : now;
    const known = whole.every(Boolean);
    return h("svg", { className: "spark", viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": true },
      before.length > 0 && h("path", { className: "spark-before", d: path(before) }),
      known && h("path", { className: "spark-area", d: `${path(whole)}L${whole[whole.length - 1][0]} ${HIGH}L0 ${HIGH}Z` }),
      whole !== now && h("path", { className: "spark-running", d: path(now.slice(-2)) }),
      h("path", { className: "spark-now", d: path(whole) }));
  };

  const number = (section, one, told, running) => h("div", { key: one.value, className: "kpi", title: one.help },
    h("div", { className: "kpi-label" }, one.label),
    value(section, one, told, "kpi-value"),
    h("div", { className: "kpi-change" }, told.change && h("b", { className: told.mood }, own.number(told.change)),
      (told.was || []).map((part) => h("span", { key: part }, own.number(part), " "))),
    spark(told.course, running));

  const small = (section, one, told, before) => h("span", { key: one.value, className: "kpi-part", title: one.help, hidden: one.hidden },
    before, h("span", null, one.label), value(section, one, told, "kpi-small"));

  /* A page of the settings is turned to, not loaded. */
  const turn = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    own.turn(event.currentTarget.pathname + window.location.search);
  };
  own.turn = (address) => {
    window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  };

  const badge = (one, told, href) => h(href ? "a" : "span", {
    key: one.value, className: "badge-quiet", title: one.help, "data-value": told.exact, ...testid(`kpi-${one.value}`),
    ...(href ? { href, onClick: turn, "aria-label": `${own.number(told.text)} priced, open the prices` } : {}),
  }, `${own.number(told.text)} priced`);

  const strip = ({ key, whole, parts, others, badge: badges, leadsTo }, of) => {
    const size = (one) => Number(of(one).exact) || 0;
    const sum = parts.reduce((added, one) => added + size(one), 0);
    return h("div", { className: "strip" },
      whole.map((one) => h("span", { key: one.value, className: "kpi-part", title: one.help },
        value(key, one, of(one), "kpi-small"), h("span", null, one.label.toLowerCase()))),
      h("span", { className: "strip-bar", "aria-hidden": true }, sum > 0 && parts.map((one) =>
        h("span", { key: one.value, title: `${one.label}: ${own.number(of(one).text)}`, style: { flexGrow: size(one) / sum, background: one.colour } }))),
      parts.map((one) => small(key, one, of(one), h("i", { style: { background: one.colour } }))),
      others.map((one) => small(key, one, of(one))),
      badges.map((one) => badge(one, of(one), leadsTo)));
  };

  own.Numbers = (props) => {
    const { declared, answer } = props;
    const of = ({ value: name }) => (answer.numbers || {})[name] || UNKNOWN;
    return h("section", {
      id: props.id, className: declared.className, "data-state": answer.state, "aria-label": declared.title,
      "data-waiting": String(own.useWaiting()), ...testid(`section-${declared.key}`),
    }, h("h2", { className: "visually-hidden" }, declared.title),
    h("div", { className: "kpis" },
      declared.numbers.map((one) => number(declared.key, one, of(one), answer.running))),
    declared.whole.length > 0 && strip(declared, of),
    ...own.cardState(props));
  };
})();
