/* A click on a chart or a table narrows to what was clicked (components/shapes/marks.py wrote what). */
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

  /* What a point stands for, and the number it shows. */
  const ofChart = (key, click) => {
    const graph = document.querySelector(`[data-section="${key}"] .js-plotly-plot`);
    if (!graph || !click.points.length) return null;
    const point = meant(graph, click.points);
    const trace = graph.data[point.curveNumber] || {};
    const said = trace.meta || {};
    const all = said.values || [];
    // Of a cell of a map of heat Dash tells the row and column by their names alone.
    const cell = () => trace.y.indexOf(point.y) * trace.x.length + trace.x.indexOf(point.x);
    const at = trace.type === "heatmap" ? cell() : point.pointNumber;
    const bucket = ((graph.layout.meta || {}).buckets || [])[click.points[0].pointNumber];
    const values = all.length === 1 ? all[0] : all[at];
    return { values, bucket, section: key, metric: said.measure };
  };

  const ofTable = (id, click) => {
    // Whoever marks text to copy it does not mean to narrow.
    if (String(window.getSelection())) return null;
    const row = dash_ag_grid.getApi(id).getRowNode(click.rowId);
    return row && row.data ? row.data.narrows : null;
  };

  const told = ({ values, bucket, ...more }) => {
    const [from, to] = bucket || [null, null];
    return { ...more, values: values || {}, from, to, at: Date.now() };
  };
  const show = (found) => {
    window.dash_clientside.set_props("events-of", { data: told(found) });
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
    if (!found) return none;
    if (id.part === "chart" && pointer && pointer.shiftKey) {
      if (found.values && found.metric) show(found);
      return none;
    }
    if (!found.bucket && !Object.keys(found.values || {}).length) return none;
    return told({ values: found.values, bucket: found.bucket });
  };

  /* Beside the number under the pointer, or in focus, stands a way to the events behind it. */
  const button = document.createElement("button");
  button.className = "cell-events";
  button.title = "Show the events behind this number (Shift+Enter)";
  button.setAttribute("aria-label", "Show the events behind this number");
  button.dataset.testid = "cell-events";
  button.tabIndex = -1;
  button.hidden = true;
  let pointed = null;

  const ofCell = (cell) => {
    const card = cell && cell.closest("[data-section]");
    if (!card) return null;
    const section = card.dataset.section;
    const grid = dash_ag_grid.getApi({ part: "table", section });
    const total = cell.closest(".ag-floating-bottom");
    const row = total ? null : grid.getRowNode(cell.closest("[row-id]").getAttribute("row-id"));
    const narrows = total ? { values: {} } : row && row.data && row.data.narrows;
    if (!narrows || !narrows.values) return null;
    return { ...narrows, section, metric: cell.getAttribute("col-id") };
  };
  const numberAt = (target) =>
    target.closest && target.closest(".as-table .ag-cell.ag-right-aligned-cell");
  const offer = (event) => {
    if (event.target === button) return;
    const cell = numberAt(event.target);
    pointed = cell ? ofCell(cell) : null;
    button.hidden = !pointed;
    if (!pointed) return;
    const box = cell.getBoundingClientRect();
    if (!button.isConnected) document.body.append(button);
    button.style.transform = `translate(${box.left + 4}px, ${box.top + (box.height - 24) / 2}px)`;
  };
  document.addEventListener("mouseover", offer);
  document.addEventListener("focusin", offer);
  document.addEventListener("scroll", () => (button.hidden = true), true);
  button.addEventListener("click", () => pointed && show(pointed));

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

  /* Return on a cell of a table is a click on it; with Shift it shows the events of a number. */
  document.addEventListener("keydown", (event) => {
    const cell = event.key === "Enter" && event.target.closest && event.target.closest(".ag-cell");
    if (!cell) return;
    if (!event.shiftKey) return void cell.click();
    const found = numberAt(cell) && ofCell(cell);
    if (found) show(found);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { drill });
})();
