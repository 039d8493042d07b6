/* A section as one component: head, choices, chart, table, state (components/page/cards.py declares
   it, callbacks/analytics/redraw.py answers). Chart or table is switched here, without a request. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (own.h = (...parts) => window.React.createElement(...parts));
  const testid = (name) => ({ "data-testid": name });

  /* Whether an answer to this card is on its way. */
  own.useWaiting = () => window.React.useContext(window.dash_component_api.DashContext).useLoading();

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

  /* Work that is due: at once where the place is near, else when the browser has time. What it answers
     takes it back. */
  own.useWhenNear = (place, margin, due, work, changes) => {
    const near = useNear(place, margin);
    window.React.useEffect(() => {
      if (!due) return undefined;
      if (near) return work();
      const [later, never] = window.requestIdleCallback
        ? [window.requestIdleCallback, window.cancelIdleCallback]
        : [(wanted) => setTimeout(wanted, 100), clearTimeout];
      let back = null;
      const waiting = later(() => void (back = work()), { timeout: 1000 });
      return () => {
        never(waiting);
        if (back) back();
      };
    }, [near, due, ...changes]);
  };

  const choice = (props, prop, label, options) => {
    if (options.length < 2) return null;
    return h("select", {
      className: "text-choice", name: `${label} (${props.declared.key})`,
      "aria-label": `${label} of ${props.declared.title}`, value: props[prop],
      onChange: (event) => {
        const chosen = { measure: props.measure, by: props.by, [prop]: event.target.value };
        props.setProps({ [prop]: event.target.value });
        own.rememberChoice(props.declared, chosen.measure, chosen.by);
      },
    }, options.map(({ value, label: text }) => h("option", { key: value, value }, text)));
  };

  /* What is to be known of the section, and of the measure that is chosen. */
  const about = ({ declared, measure }) => {
    const { key, title, help, measures } = declared;
    const chosen = measures.find(({ value }) => value === measure);
    return [
      h("button", {
        key: "button", type: "button", className: "info", "aria-label": `About ${title}`, "aria-describedby": `about-${key}`,
        onKeyDown: (event) => event.key === "Escape" && event.currentTarget.blur(),
      }, "i"),
      h("div", { key: "tip", id: `about-${key}`, className: "tip", role: "tooltip" },
        help && h("p", null, help),
        chosen && h("p", null, h("b", null, chosen.label), `: ${chosen.help}`)),
    ];
  };

  /* What is only begun here stands in full on a tab, under the same filters. */
  const more = ({ more: found }) => found && h("a", {
    className: "more-link", href: `/settings/analytics/${found.tab}${window.location.search}`,
    onClick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      document.querySelector(`[data-testid="tab-${found.tab}"] a`).click();
    },
  }, "All", h("span", null, found.label.replace("All", "")));

  const TABLE = "M3.5 3h9A1.5 1.5 0 0 1 14 4.5v7a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 11.5v-7A1.5 1.5 0 0 1 3.5 3ZM2 6.5h12M2 10h12M6.5 3v10";
  const CHART = "M2.5 13.5h11M4 11V8.5M8 11V3.5M12 11V6";

  /* One button for both ways, so that the keyboard stays on it. */
  const toggle = ({ declared, mode }) => {
    const [next, icon] = mode === "table" ? ["chart", CHART] : ["table", TABLE];
    const label = `Show ${declared.title} as ${next}`;
    return h("button", {
      type: "button", className: `icon-button mode-${next}`, title: label, "aria-label": label,
      onClick: () => own.chooseMode(declared.key, next), ...testid(`mode-${next}`),
    }, own.icon(icon));
  };

  const head = (props) => h("header", { className: "section-head" },
    h("div", { className: "card-name" },
      h("h2", { id: props.declared.key }, props.declared.title), about(props),
      choice(props, "measure", "Measure", props.declared.measures),
      choice(props, "by", "Break down", props.declared.breakdowns)),
    more(props.declared),
    h("div", { className: "chrome" }, toggle(props), h(own.CardMenu, props)));

  /* Why there is nothing to see, and the way to ask again. */
  own.cardState = ({ answer, retries, setProps }) => [
    h("div", { key: "state", className: "state", ...testid("state") },
      answer.sentence || ""),
    answer.state === "failed" && h("button", {
      key: "retry", type: "button", className: "retry quiet",
      onClick: () => setProps({ retries: (retries || 0) + 1 }),
    }, "Retry"),
  ];

  /* A link to this card leads to it, though it was not there when the page was. */
  const useArrival = (key) => window.React.useEffect(() => {
    if (window.location.hash === `#${key}`) document.getElementById(key).closest("section").scrollIntoView();
  }, []);

  /* One change, one announcement: the line below the filters says theirs, a card what was chosen on it. */
  const spoken = Object.assign(document.createElement("div"), { className: "visually-hidden", role: "status" });
  document.addEventListener("DOMContentLoaded", () => document.body.append(spoken));
  const useAnnounced = ({ declared, measure, by, retries, answer }) => {
    const kept = window.React.useRef(null);
    window.React.useEffect(() => {
      const [before, chosen] = [kept.current, [measure, by, retries].join()];
      kept.current = { chosen, answer };
      if (!before || answer.state === "loading") return;
      if (before.chosen !== chosen) kept.current.due = true;
      else kept.current.due = before.due;
      if (!kept.current.due || before.answer === answer) return;
      kept.current.due = false;
      spoken.textContent = `${declared.title}: ${answer.sentence || answer.summary}`;
    }, [measure, by, retries, answer]);
  };

  /* A card that needs less room under other filters keeps what it had while it is in sight, so that nothing jumps that is
     looked at. Where a card itself is changed, all are as high as they are then, and so they are where the page is loaded. */
  const holding = new Set();
  const useHeldHeight = ({ answer, measure, by, mode, form }) => {
    const { useLayoutEffect, useRef } = window.React;
    const [body, last] = [useRef(null), useRef({})];
    if (last.current.answer !== answer) last.current = { answer, key: `${answer.state === "loading"} ${measure} ${by}` };
    useLayoutEffect(() => {
      holding.forEach((release) => release());
      if (answer.state === "loading") return undefined;
      let wide = 0;
      const release = () => {
        body.current.style.minHeight = "";
        resized.unobserve(body.current);
        resized.observe(body.current);
      };
      const resized = new ResizeObserver(() => {
        const { style, offsetWidth, offsetHeight } = body.current;
        if (offsetWidth === wide || !wide) style.minHeight = `${offsetHeight}px`;
        else release();
        wide = offsetWidth;
      });
      const seen = new IntersectionObserver((entries) => entries[entries.length - 1].isIntersecting || release());
      [resized, seen].forEach((watch) => watch.observe(body.current));
      holding.add(release);
      return () => {
        holding.delete(release);
        body.current.style.minHeight = "";
        [resized, seen].forEach((watch) => watch.disconnect());
      };
    }, [last.current.key, mode, form]);
    return body;
  };

  own.Card = (given) => {
    const props = { ...given, mode: given.mode || own.rememberedMode(given.declared.key) };
    const { declared, answer } = props;
    useArrival(declared.key);
    useAnnounced(props);
    const held = useHeldHeight(props);
    const table = own.useTableChoices(declared);
    const waiting = own.useWaiting();
    const ready = answer.state === "ready";
    const body = [
      h("div", { key: "chart", className: "as-chart", ...testid("chart") },
        h(declared.asList ? own.Ranking : own.Chart, { figure: ready ? answer.figure : null, declared, shown: props.mode === "chart" })),
      h("div", { key: "table", className: "as-table", ...testid("table") },
        h(own.TableTools, { ...props, ...table }),
        h(own.Table, { answer, declared, form: props.form, shown: props.mode === "table", ...table })),
      ...own.cardState(props),
    ];
    return h("section", {
      id: props.id, className: declared.className, "aria-label": declared.title,
      "data-section": declared.key, "data-state": answer.state, "data-mode": props.mode,
      "data-waiting": String(waiting), ...testid(`section-${declared.key}`),
    }, head(props),
    h("p", { id: `summary-${declared.key}`, className: "summary" }, answer.summary || ""),
    h("div", { ref: held, className: "card-body" }, body));
  };
})();
