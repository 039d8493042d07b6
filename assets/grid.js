/* The library of all tables, which weighs as much as the rest but Plotly: it comes when a table is
   wanted, or in idle time where one was wanted before. */
(() => {
  const WANTED = "spendscope-tables";
  const { createElement, useEffect, useLayoutEffect, useRef, useState } = window.React;

  /* What is not displayed, as a table behind a chart, waits until it is. */
  const AgGrid = (props) => {
    const place = useRef(null);
    const [seen, setSeen] = useState(false);
    const found = useLibrary(seen);
    useLayoutEffect(() => {
      if (place.current.getClientRects().length) return void setSeen(true);
      const watch = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && setSeen(true));
      watch.observe(place.current);
      return () => watch.disconnect();
    }, []);
    useEffect(() => {
      if (seen) window.localStorage.setItem(WANTED, "1");
    }, [seen]);
    useEffect(() => {
      if (!found || !seen || !(props.columnDefs || []).some(({ flex }) => flex)) return;
      found.getApiAsync(props.id).then((grid) => {
        const fit = () => window.spendscope.fitColumns(grid);
        grid.addEventListener("gridSizeChanged", fit);
        fit();
      });
    }, [found, seen]);
    return found && seen ? createElement(found.AgGrid, props) : createElement("div", { ref: place });
  };
  // What Dash looks for on the component itself, as on the library's.
  AgGrid.dashRenderType = true;
  AgGrid.dashPersistence = { persisted_props: ["selectedRows"], persistence_type: "local" };

  const { load, use: useLibrary } = window.spendscope.library("grid", "dash_ag_grid", { AgGrid }, {
    getApi: () => undefined,
    getApiAsync: (id) => load().then(({ getApiAsync }) => getApiAsync(id)),
  });

  const warm = () => load().catch(() => {});
  if (window.localStorage.getItem(WANTED) && window.requestIdleCallback) {
    window.addEventListener("load", () => window.requestIdleCallback(warm));
  }
  document.addEventListener("pointerover", ({ target }) => {
    if (target.closest && target.closest(".mode-table, .switch")) warm();
  });

  /* Cells read as the server wrote them, in the reader's language: one place says how a number looks. */
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  /* What is only compared with: no number that a reader could see the events of. */
  functions.compared = ({ data, colDef }) => `compared ${data?.[colDef.field + "_mood"] ?? "even"}`;
  const written = ({ data, colDef: { field } }) => data?.[field + "_text"] ?? data?.[field] ?? "";
  const isNumber = ({ colDef: { type, cellClass, field } }) => type === "rightAligned" || Boolean(cellClass) || field === "time";
  functions.shown = (cell) => (isNumber(cell) ? window.spendscope.number(written(cell)) : written(cell));
})();
