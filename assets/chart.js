/* The chart of a card: drawn when it is in the window or near it, and what a click on it means. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const NEAR = 24; // pixels from a line's point to the pointer
  const AHEAD = 300; // pixels below the window in which charts are drawn at once

  /* Over time a click names every trace at that moment: the one under the pointer is meant. A bar
     is the one whose end is the next above the pointer; a point of a line is near it. */
  const meant = (graph, { points: all, event }) => {
    // What is only read on hover stands for nothing.
    const points = all.filter(({ data }) => data.meta.values.length);
    if (points.length < 2) return points[0];
    const at = event.clientY - graph.getBoundingClientRect().top + graph.offsetTop;
    const tall = ({ data, pointNumber }) => data.type === "bar" && data.y[pointNumber];
    const bars = points.filter((point) => tall(point) && point.bbox.y0 <= at);
    const away = (point) => Math.abs(point.bbox.y0 - at);
    const lines = points.filter((point) => point.data.type !== "bar" && away(point) < NEAR);
    const nearest = (some) => some.sort((a, b) => away(a) - away(b))[0];
    return nearest(bars) || nearest(lines) || null;
  };

  /* What a point stands for (components/shapes/marks.py wrote it), and the number it shows. */
  const marked = (graph, figure, click) => {
    const point = meant(graph, click);
    const bucket = ((figure.layout.meta || {}).buckets || [])[click.points[0].pointNumber];
    if (!point) return { bucket };
    const { meta = {}, x } = figure.data[point.curveNumber];
    const all = meta.values || [];
    const place = point.pointNumber; // a row and a column in a map of heat
    const at = Array.isArray(place) ? place[0] * x.length + place[1] : place;
    return { values: all.length === 1 ? all[0] : all[at], bucket, metric: meta.measure };
  };

  const listen = (graph, figureOf, section) => graph.on("plotly_click", (click) => {
    const found = { section, ...marked(graph, figureOf(), click) };
    if (!click.event.shiftKey) own.narrow(found);
    else if (found.values && found.metric) own.showEvents(found);
  });

  /* Dragging over a chart of time narrows to the stretch under it; on touch screens the page scrolls. */
  const FEWEST = 8; // pixels that are no click any more
  const zoomed = (graph, figureOf, down) => {
    const { layout: { meta = {} } } = figureOf() || { layout: {} };
    const { xaxis } = graph._fullLayout || {};
    const over = down.target.closest(".nsewdrag");
    if (!over || !(meta.buckets || []).length || down.button || down.pointerType === "touch") return;
    const [{ left, width }, top] = [over.getBoundingClientRect(), graph.getBoundingClientRect()];
    const within = (x) => Math.min(Math.max(x - left, 0), width);
    const at = (x) => Math.min(Math.max(Math.round(xaxis.p2l(within(x))), 0), meta.buckets.length - 1);
    const box = over.getBoundingClientRect();
    let band = null;
    const move = ({ clientX }) => {
      if (!band && Math.abs(clientX - down.clientX) < FEWEST) return;
      band = band || graph.appendChild(Object.assign(document.createElement("div"), { className: "zoom-band" }));
      const [from, to] = [within(down.clientX), within(clientX)].sort((a, b) => a - b);
      Object.assign(band.style, { left: `${left - top.left + from}px`, width: `${to - from}px`, top: `${box.top - top.top}px`, height: `${box.height}px` });
    };
    const up = ({ clientX }) => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", up);
      if (!band) return;
      band.remove();
      const [first, last] = [at(down.clientX), at(clientX)].sort((a, b) => a - b);
      own.narrow({ bucket: [meta.buckets[first][0], meta.buckets[last][1]] });
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", up);
  };

  const root = document.documentElement;
  const VARIABLE = /^var\((--[\w-]+)\)$/;

  /* The colours by the names that components/shapes/colours.py has for them, as the theme has them. */
  const coloured = (value, style) => {
    if (Array.isArray(value)) return value.map((one) => coloured(one, style));
    const found = typeof value === "string" && VARIABLE.exec(value);
    return found ? style.getPropertyValue(found[1]).trim() : value;
  };
  const themed = (part, style) => {
    for (const [key, value] of Object.entries(part)) {
      if (key === "color" || key === "colorscale") part[key] = coloured(value, style);
      else if (value && typeof value === "object" && !Array.isArray(value)) themed(value, style);
    }
    return part;
  };

  /* Plotly writes into what it draws; the answer stays as it came. */
  const prepared = (figure, style) => {
    const { data, layout } = structuredClone(figure);
    own.dated({ data, layout });
    data.forEach((trace) => {
      themed(trace, style);
      if (Array.isArray(trace.customdata)) trace.customdata = own.numbers(trace.customdata);
    });
    return { data, layout: { ...themed(layout, style), separators: own.separators } };
  };
  /* As many labels of the buckets as stand beside each other: none is turned, none cut. */
  const LABEL = 7.2; // pixels a character, and as much as two between labels
  const thinned = ({ xaxis, ...layout }, width) => {
    if (!xaxis || !xaxis.ticktext) return { xaxis, ...layout };
    const longest = Math.max(...xaxis.ticktext.map((text) => text.length)) + 2;
    const step = Math.ceil(xaxis.ticktext.length / Math.max(1, Math.floor((width - 48) / (longest * LABEL))));
    const kept = (_, place) => place % step === 0;
    return { ...layout, xaxis: { ...xaxis, tickvals: xaxis.tickvals.filter(kept), ticktext: xaxis.ticktext.filter(kept) } };
  };
  const draw = (graph, figure, config) => {
    const { data, layout: whole } = prepared(figure, getComputedStyle(root));
    const { clientWidth: width, clientHeight: height } = graph;
    const layout = (whole.meta || {}).panels ? own.arranged(whole, width, height) : thinned(whole, width);
    const margin = own.margins(data, layout, width);
    return window.Plotly.react(graph, { data, layout: { ...layout, margin, autosize: true }, config });
  };

  /* The chart as a file: as on the page, with its title; a picture has no style of the page. */
  const [WIDTH, HEIGHT, HEAD] = [1200, 600, 56];
  own.saveImage = (figure, { key, title }, format) => {
    const style = getComputedStyle(root);
    const { data, layout } = prepared(figure, style);
    const [ink, soft, surface] = ["--ink", "--soft", "--surface"].map((name) => style.getPropertyValue(name));
    const family = style.getPropertyValue("--font");
    const head = { text: title, x: 0.02, xanchor: "left", font: { color: ink, size: 20, family } };
    const frame = { paper_bgcolor: surface, plot_bgcolor: surface, font: { ...layout.font, family, color: soft } };
    const margin = { ...layout.margin, t: HEAD, l: 24, r: Math.max(layout.margin.r, 24), b: 24 };
    own.arranged(layout, WIDTH, HEIGHT - HEAD);
    const drawn = { data, layout: { ...layout, ...frame, margin, title: head } };
    const file = { format, width: WIDTH, height: HEIGHT, scale: 2, filename: `spendscope-${key}` };
    return own.plotly().then(() => window.Plotly.downloadImage(drawn, file));
  };

  const useTheme = () => {
    const [theme, setTheme] = window.React.useState(root.dataset.bsTheme);
    window.React.useEffect(() => {
      const changes = new MutationObserver(() => setTheme(root.dataset.bsTheme));
      changes.observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
      return () => changes.disconnect();
    }, []);
    return theme;
  };

  own.Chart = ({ figure, declared, shown }) => {
    const { useEffect, useRef } = window.React;
    const [place, kept, theme] = [useRef(null), useRef({}), useTheme()];
    const show = () => {
      const [graph, drawn] = [place.current, kept.current];
      const width = graph.clientWidth;
      kept.current = { ...drawn, figure, width, theme };
      const panels = Boolean((figure.layout.meta || {}).panels) && drawn.width !== width;
      const changed = drawn.figure !== figure || drawn.theme !== theme || panels;
      if (changed) kept.current.drawing = draw(graph, figure, declared.graph);
      else if (drawn.width !== width) window.Plotly.Plots.resize(graph);
      if (!drawn.figure) listen(graph, () => kept.current.figure, declared.key);
      graph.redraw = () => draw(graph, kept.current.figure, declared.graph);
    };
    own.useWhenNear(place, AHEAD, shown && Boolean(figure), () => own.inTurn(show), [figure, theme]);
    useEffect(() => {
      own.plotly().catch(() => {});
      const graph = place.current;
      const fit = () => kept.current.figure && graph.clientWidth && window.Plotly.Plots.resize(graph);
      const drag = (event) => zoomed(graph, () => kept.current.figure, event);
      document.addEventListener("fullscreenchange", fit);
      graph.addEventListener("pointerdown", drag, true);
      return () => {
        graph.removeEventListener("pointerdown", drag, true);
        document.removeEventListener("fullscreenchange", fit);
        // What is being drawn is drawn to its end: Plotly goes on after it was told to stop.
        if (kept.current.figure) Promise.resolve(kept.current.drawing).finally(() => window.Plotly.purge(graph));
      };
    }, []);
    return own.h("div", {
      ref: place, className: "dash-graph", role: "img",
      "aria-label": `${declared.title}: a chart`, "aria-describedby": `summary-${declared.key}`,
    });
  };
})();
