/* A click on a chart or a table narrows to what was clicked (components/drill.py wrote what). */
(() => {
  const drill = {};
  let pointer = null;
  document.addEventListener("pointerdown", (event) => (pointer = event), true);

  /* Over time a click names every trace at that moment: the one under the pointer is meant. */
  const meant = (graph, points) => {
    if (points.length < 2 || !pointer) return points[0];
    const box = graph.querySelector(".nsewdrag").getBoundingClientRect();
    const away = (point) => {
      const trace = graph._fullData[point.curveNumber];
      const drawn = graph.calcdata[point.curveNumber][point.pointNumber];
      const axis = graph._fullLayout[trace.yaxis.replace("y", "yaxis")];
      const at = axis.p2d(pointer.clientY - box.top);
      if (trace.type !== "bar") return Math.abs(axis.d2p(drawn.y) - (pointer.clientY - box.top));
      const [low, high] = [Math.min(drawn.b, drawn.b + drawn.s), Math.max(drawn.b, drawn.b + drawn.s)];
      return at >= low && at < high ? 0 : Infinity;
    };
    const near = points.map((point) => [away(point), point]).sort((a, b) => a[0] - b[0]);
    return near[0][0] < 24 ? near[0][1] : { ...points[0], curveNumber: -1 };
  };

  const ofChart = (key, click) => {
    const graph = document.querySelector(`[data-section="${key}"] .js-plotly-plot`);
    if (!graph || !click.points.length) return null;
    const point = meant(graph, click.points);
    const said = graph.layout.meta || {};
    const values = (((graph.data[point.curveNumber] || {}).meta || {}).values) || [];
    const value = values.length === 1 ? values[0] : values[point.pointNumber];
    const bucket = (said.buckets || [])[click.points[0].pointNumber];
    return { field: said.field, value, bucket };
  };

  const ofTable = (id, click) => {
    // Whoever marks text to copy it does not mean to narrow.
    if (String(window.getSelection())) return null;
    const row = dash_ag_grid.getApi(id).getRowNode(click.rowId);
    return row && row.data ? row.data.narrows : null;
  };

  drill.narrow = () => {
    const context = window.dash_clientside.callback_context;
    const none = window.dash_clientside.no_update;
    const id = context.triggered_id;
    const click = (context.triggered[0] || {}).value;
    if (!id || !click) return none;
    const found = id.part === "chart" ? ofChart(id.section, click) : ofTable(id, click);
    // The same point can be clicked again later.
    if (id.part === "chart") window.dash_clientside.set_props(id, { clickData: null });
    if (!found || !(found.value || found.bucket)) return none;
    const [from, to] = found.bucket || [null, null];
    return { field: found.field, value: found.value || null, from, to, at: Date.now() };
  };

  /* A chip is no component: being drawn anew cannot swallow its click. Those that were clicked
     while the answer to the one before was on its way go together. */
  let taken = [];
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-chip]");
    if (!chip) return;
    taken = [...taken, { chip: chip.dataset.chip, value: chip.dataset.value }];
    window.dash_clientside.set_props("taken-back", { data: taken });
  });
  drill.settled = () => void (taken = []);

  drill.open = (clicks, open) => (clicks ? !open : window.dash_clientside.no_update);

  /* Return on a cell of a table is a click on it. */
  document.addEventListener("keydown", (event) => {
    const cell = event.key === "Enter" && event.target.closest && event.target.closest(".ag-cell");
    if (cell) cell.click();
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { drill });
})();
