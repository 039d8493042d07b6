/* A ranking as a list: name, value, and a bar on a track (components/shapes/ranking.py has its rows).
   What a click on a row means is what one on a bar of a chart means. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);
  const [LONG, TAIL] = [16, 7]; // characters

  /* Too long a name loses its middle: what tells names apart stands at both ends. */
  const name = (text) => (text.length <= LONG ? h("span", { className: "rank-name" }, text)
    : h("span", { className: "rank-name" },
      h("span", { className: "rank-start" }, text.slice(0, -TAIL)), h("span", null, text.slice(-TAIL))));

  const row = (one, colour, press, page) => h("li", { key: one.name },
    h("button", {
      type: "button", className: "rank-row", onClick: press,
      title: [one.name, own.number(one.text), own.number(one.share)].filter(Boolean).join(" · "),
    },
    name(one.name), h("span", { className: "rank-value" }, own.number(one.text)),
    one.change === undefined ? null : h("span", { className: `rank-change ${one.mood}` }, own.number(one.change)),
    one.part === null ? null : h("span", { className: "rank-track" },
      h("span", { className: "rank-bar", style: { width: `${100 * one.part}%`, background: colour } }))),
    page && own.pageLink(page, one.name));

  own.Ranking = ({ figure, declared }) => {
    const { useLayoutEffect, useMemo, useRef } = window.React;
    const place = useRef(null);
    useLayoutEffect(() => void Object.assign(place.current, figure), [figure]);
    const list = useMemo(() => {
      if (!figure) return null;
      const { meta: { rows, values, measure: metric }, marker } = figure.data[0];
      const press = (at) => (event) => {
        const found = { section: declared.key, values: values[at], metric };
        if (!event.shiftKey) own.narrow(found);
        else if (found.values) own.showEvents(found);
      };
      const drawn = rows.map((one, at) => [one, row(one, marker.color[at], press(at), own.pageOfMark(values[at]))]);
      const some = (barred) => drawn.filter(([{ part }]) => (part !== null) === barred).map(([, made]) => made);
      return [...some(true), ...some(false)];
    }, [figure]);
    return h("ol", {
      ref: place, className: "ranking", style: { "--rows": Math.ceil((list || []).length / 2) }, "aria-label": declared.title, "aria-describedby": `summary-${declared.key}`,
    }, list);
  };
})();
