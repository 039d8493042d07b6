/* A figure that a callback writes, drawn as it is once it can be seen (components/controls.py declares it). */
(() => {
  const own = (window.spendscope = window.spendscope || {});

  own.Graph = ({ id, figure, config, setProps }) => {
    const { useEffect, useRef } = window.React;
    const [place, kept] = [useRef(null), useRef({})];
    kept.current.figure = figure;
    const show = () => {
      const [graph, { drawn }] = [place.current, kept.current];
      const now = kept.current.figure;
      if (!graph || !graph.clientWidth || !now) return;
      if (drawn === now) return void window.Plotly.Plots.resize(graph);
      kept.current.drawn = now;
      const { data, layout } = structuredClone(now); // Plotly writes into what it draws
      kept.current.drawing = window.Plotly.react(graph, { data, layout: { ...layout, autosize: true }, config });
      if (drawn) return;
      graph.on("plotly_click", ({ points }) => setProps({
        clickData: { points: points.map(({ curveNumber, pointNumber, customdata }) => ({ curveNumber, pointNumber, customdata })) },
      }));
    };
    useEffect(() => (figure ? own.inTurn(show) : undefined), [figure]);
    useEffect(() => {
      own.plotly().catch(() => {});
      const graph = place.current;
      const resized = new ResizeObserver(() => kept.current.figure && own.inTurn(show));
      resized.observe(graph);
      return () => {
        resized.disconnect();
        if (kept.current.drawn) Promise.resolve(kept.current.drawing).finally(() => window.Plotly.purge(graph));
      };
    }, []);
    return own.h("div", { id, ref: place, className: "dash-graph" });
  };
})();
