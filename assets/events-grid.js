/* The list of events: columns as wide as what has been read of them so far, no row cut in half, and on a
   phone name and number first. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const PHONE = 480; // pixels
  const arranged = new WeakSet();

  /* What leads after the time, its name before its number. */
  const nameAndNumberFirst = (grid, columns) => {
    const [one, other] = columns.filter(({ field }) => field !== "ts");
    grid.moveColumns((one.type ? [other, one] : [one, other]).map(({ field }) => field), 0);
  };

  const wholeRows = (place, { rowHeight }) => {
    const over = place.querySelector(".ag-body-viewport").clientHeight % rowHeight;
    place.style.height = `${place.offsetHeight - over}px`;
  };

  functions.fitEvents = ({ api: grid }) => {
    if (grid.isDestroyed()) return;
    const place = document.getElementById("events-grid");
    const [rows, frame] = [[], place ? place.clientWidth : 0]; // none once it is closed
    grid.forEachNode(({ data }) => data && rows.push(data));
    if (!rows.length || !frame) return;
    const [columns, first] = [grid.getColumnDefs(), !arranged.has(grid)];
    if (first && frame < PHONE) nameAndNumberFirst(grid, columns);
    if (first) wholeRows(place, { rowHeight: grid.getGridOption("rowHeight") });
    // What was read before stays whole: columns grow, and never shrink.
    const least = (field) => (first ? 0 : grid.getColumn(field).getActualWidth());
    arranged.add(grid);
    const total = (grid.getPinnedBottomRow(0) || {}).data;
    const state = own.widened(grid.getColumnDefs(), { rows, total }, frame)
      .map(({ field, width }) => ({ colId: field, width: Math.max(width, least(field)) }));
    grid.applyColumnState({ state });
  };
})();
