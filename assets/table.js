/* The table of a card: built when it is first looked at, searched and arranged in the browser. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);
  const kept = (key) => JSON.parse(window.localStorage.getItem(key) || "[]");
  const keep = (key, value) => window.localStorage.setItem(key, JSON.stringify(value));
  const COLUMN = { sortable: true, resizable: true, suppressHeaderMenuButton: true };
  const FULL = { height: null, width: "100%" };

  /* What is searched, and which columns are not wanted: those are remembered. */
  own.useTableChoices = ({ key }) => {
    const { useState } = window.React;
    const [search, setSearch] = useState("");
    const [hidden, setHidden] = useState(() => kept(`spendscope-hidden-${key}`));
    const hide = (name, away) => {
      const left = hidden.filter((one) => one !== name);
      const now = away ? [...left, name] : left;
      keep(`spendscope-hidden-${key}`, now);
      setHidden(now);
    };
    return { search, setSearch, hidden, hide };
  };

  /* The columns that can be away: all but the names. */
  const numbers = ({ declared, answer, form }) => (own.isPivot(answer, form)
    ? answer.pivot.columns.slice(1).map(({ field, headerName }) => ({ value: field, label: headerName }))
    : declared.metrics);

  own.TableTools = ({ search, setSearch, hidden, hide, ...props }) => h("div", {
    className: "table-tools", "data-testid": "table-tools",
  },
  h("input", {
    type: "search", className: "form-control form-control-sm", placeholder: "Search table",
    "aria-label": `Search the table of ${props.declared.title}`, value: search,
    onChange: (event) => setSearch(event.target.value),
  }),
  h("details", { className: "columns-box" },
    h("summary", { className: "quiet" }, "Columns"),
    h("div", { className: "columns-list" }, numbers(props).map(({ value, label }) =>
      h("label", { key: value }, h("input", {
        type: "checkbox", checked: !hidden.includes(value),
        onChange: (event) => hide(value, !event.target.checked),
      }), label)))),
  h(own.FormToggle, props));

  /* Columns stand where the reader dragged them, also after the table was away. */
  const ordered = (columns, names) => {
    const place = ({ field }) => names.indexOf(field) + 1 || names.length + 1;
    return [...columns].sort((a, b) => place(a) - place(b));
  };

  /* A column is as wide as its longest text, its head in two lines at most. Those that fit share what
     is left of the frame, so that its edge cuts none; the others are beyond it. */
  const [SPACE, LEAST, NAME, PHONE] = [36, 64, 240, 480]; // pixels
  const pen = document.createElement("canvas").getContext("2d");
  const lengths = (texts) => { // in bold, as the total is
    pen.font = `650 13px ${getComputedStyle(document.body).fontFamily}`;
    // Figures of one width, as cells have them: a 1 of its own is narrower.
    return texts.map((text) => pen.measureText(text.replace(/\d/g, "0")).width);
  };
  const inTwoLines = (head) => {
    const words = head.split(" ");
    const broken = words.map((_, at) => [words.slice(0, at), words.slice(at)].map((some) => some.join(" ")));
    return Math.min(...broken.map((lines) => Math.max(...lengths(lines))));
  };
  /* On a phone the first of two names leaves room for the other and for a number. */
  const isName = ({ type, field, cellClass }) => type !== "rightAligned" && !cellClass && field !== "ts";
  const most = (columns, frame) => {
    const part = frame < PHONE && columns.filter(isName).length > 1 ? 0.36 : 0.5;
    return Math.min(NAME, Math.floor(frame * part));
  };
  const needed = ({ field, headerName }, rows) => {
    const texts = rows.map((row) => own.number(String(row[`${field}_text`] ?? row[field] ?? "")));
    const longest = [...new Set(texts)].sort((one, other) => other.length - one.length).slice(0, 8);
    return Math.ceil(SPACE + Math.max(LEAST - SPACE, inTwoLines(headerName), ...lengths(longest)));
  };
  const widened = (columns, { rows, total }, frame) => {
    const width = (one) => Math.min(needed(one, total ? [...rows, total] : rows), isName(one) ? most(columns, frame) : Infinity);
    const shown = columns.filter(({ hide }) => !hide).sort((one, other) => Boolean(other.pinned) - Boolean(one.pinned));
    const widths = filling(shown, new Map(columns.map((one) => [one.field, width(one)])), frame);
    return columns.map(({ flex, minWidth, ...one }) => ({ ...one, width: widths.get(one.field) }));
  };
  const filling = (shown, widths, frame) => {
    let [left, fitting] = [frame, []];
    for (const { field } of shown) {
      if (left < widths.get(field)) break;
      left -= widths.get(field);
      fitting.push(field);
    }
    const more = Math.floor(left / fitting.length);
    fitting.forEach((field, at) => widths.set(field, widths.get(field) + (at ? more : left - more * (fitting.length - 1))));
    return widths;
  };

  own.widened = widened;

  /* Columns that share the frame, as those of the settings, where it is too narrow for them all. */
  const frames = new WeakMap();
  own.fitColumns = (grid) => {
    if (grid.isDestroyed()) return;
    const { left, right } = grid.getHorizontalPixelRange();
    const frame = right - left;
    if (!frame || frames.get(grid) === frame) return;
    frames.set(grid, frame);
    const columns = grid.getAllDisplayedColumns().map((one) => one.getColDef());
    const least = new Map(columns.map(({ field, minWidth }) => [field, minWidth || 0]));
    const narrow = [...least.values()].reduce((one, other) => one + other, 0) > frame;
    const widths = narrow && filling(columns, least, frame);
    const state = columns.map(({ field, flex }) => ({ colId: field, ...(narrow ? { width: widths.get(field), flex: null } : { flex }) }));
    grid.applyColumnState({ state });
  };

  /* The same in a frame of another width: a turned phone, the full screen. */
  const useFrame = (grid, place, columns, answer) => window.React.useEffect(() => {
    if (!grid) return undefined;
    let frame = place.current.clientWidth;
    const fit = ({ clientWidth }) => {
      if (!clientWidth || clientWidth === frame) return;
      frame = clientWidth;
      const state = widened(columns(), answer, frame).map(({ field, width }) => ({ colId: field, width }));
      grid.applyColumnState({ state });
    };
    grid.addEventListener("gridSizeChanged", fit);
    return () => grid.isDestroyed() || grid.removeEventListener("gridSizeChanged", fit);
  }, [grid, answer]);

  /* As many rows as there are, or a page of them, all whole. */
  const PAGING = 42; // pixels
  const height = ({ grid }, { rows, total }) => {
    const paged = rows.length > grid.paginationPageSize;
    const shown = paged ? grid.paginationPageSize : rows.length;
    return grid.headerHeight + grid.rowHeight * (shown + (total ? 1 : 0)) + (paged ? PAGING : 0);
  };

  /* Until the rows are there, the place is kept that they took last, or that of a page. */
  const useHeight = (declared, answer) => {
    const { key, grid } = declared;
    const [name, tall] = [`spendscope-height-${key}`, answer && height(declared, answer)];
    window.React.useEffect(() => void (tall && keep(name, tall)), [tall]);
    return tall || Number(kept(name)) || height(declared, { rows: Array(grid.paginationPageSize + 1), total: {} });
  };

  const keepOrder = (grid, place) => grid.addEventListener("dragStopped", () =>
    keep(place.current, grid.getColumnState().map((column) => column.colId)));

  const arrange = (grid, { search, hidden, ...props }) => {
    const names = numbers(props).map((one) => one.value);
    grid.setGridOption("quickFilterText", search);
    grid.setColumnsVisible(names.filter((name) => !hidden.includes(name)), true);
    grid.setColumnsVisible(names.filter((name) => hidden.includes(name)), false);
  };

  /* The grid of dash-ag-grid, which knows us by an id; null until it stands. */
  const useGrid = (id, key, built) => {
    const { useEffect, useRef, useState } = window.React;
    const [[grid, setGrid], place] = [useState(null), useRef(key)];
    place.current = key;
    useEffect(() => {
      if (!built) return undefined;
      let away = false;
      window.dash_ag_grid.getApiAsync(id).then((found) => {
        if (away) return;
        keepOrder(found, place);
        setGrid(found);
      }, () => {});
      return () => void (away = true);
    }, [built]);
    return grid;
  };

  /* The number a cell shows, as a question for its events; null of what is none. */
  const numberAt = (grid, { key, answer }, cell) => {
    if (!cell || !cell.classList.contains("ag-right-aligned-cell")) return null;
    const column = cell.getAttribute("col-id");
    if (cell.closest(".ag-floating-bottom")) return own.cellOf(answer, key, column, { values: {} });
    const row = grid.getRowNode(cell.closest("[row-id]").getAttribute("row-id"));
    const { values, bucket } = (row && row.data && row.data.narrows) || {};
    return values ? own.cellOf(answer, key, column, { values, bucket }) : null;
  };

  /* The page of the name that a cell shows, or the head of a pivot's column. */
  const pageAt = (grid, { answer }, cell) => {
    const field = cell && cell.getAttribute("col-id");
    if (!answer || !field) return null;
    if (cell.classList.contains("ag-header-cell")) return answer.pivot ? own.pageOfMark(answer.pivot.marks[field]) : null;
    const at = cell.closest("[row-id]");
    const row = at && !cell.closest(".ag-floating-bottom") && grid.getRowNode(at.getAttribute("row-id"));
    const { values } = (row && row.data && row.data.narrows) || {};
    return values ? own.pageOf(field, values[field]) : null;
  };
  const NAMED = ".ag-header-cell-text, .ag-cell-value";
  const nameOf = (cell) => (cell.querySelector(NAMED) || cell).textContent;

  /* Beside the number under the pointer, or in focus, stands a way to the events behind it; beside a name
     one to its page. */
  const usePointed = (grid, of) => {
    const [pointed, setPointed] = window.React.useState(null);
    const point = (event) => {
      if (event.target.closest(".cell-events, .open-page")) return;
      const cell = grid && event.target.closest(".ag-cell, .ag-header-cell");
      const number = cell && numberAt(grid, of, cell);
      const page = cell && !number && pageAt(grid, of, cell);
      if (!number && !page) return void setPointed(null);
      const [box, frame] = [cell, event.currentTarget].map((one) => one.getBoundingClientRect());
      const left = number ? box.left + 4 : Math.min(box.right, frame.right) - 28;
      const style = { left: left - frame.left, top: box.top - frame.top + (box.height - 24) / 2 };
      setPointed({ number, page, name: page && nameOf(cell), style });
    };
    const away = () => setPointed(null);
    const press = (event) => {
      const cell = event.key === "Enter" && event.shiftKey && grid && event.target.closest(".ag-cell, .ag-header-cell");
      if (!cell) return;
      const [number, page] = [numberAt(grid, of, cell), pageAt(grid, of, cell)];
      if (number) own.showEvents(number);
      else if (page) own.openPage(page);
    };
    const watch = {
      onMouseOver: point, onFocus: point, onMouseLeave: away, onScrollCapture: away, onKeyDown: press,
    };
    return [pointed, watch];
  };

  const cellEvents = ({ number, style }) => h("button", {
    type: "button", className: "cell-events", tabIndex: -1, style,
    title: "Show the events behind this number (Shift+Enter)",
    "aria-label": "Show the events behind this number", "data-testid": "cell-events",
    onClick: () => own.showEvents(number),
  });

  const clicked = (id, { key, answer }, { cellClicked }) => {
    // Whoever marks text to copy it does not mean to narrow.
    if (!cellClicked || String(window.getSelection())) return;
    const row = window.dash_ag_grid.getApi(id).getRowNode(cellClicked.rowId);
    if (row && row.data && row.data.narrows) own.narrow(own.narrowed(answer, key, cellClicked.colId, row.data.narrows));
  };

  const options = ({ grid }, { rows, total }, search) => ({
    ...grid, quickFilterText: search, pagination: rows.length > grid.paginationPageSize, pinnedBottomRowData: total ? [total] : [],
  });

  /* Of a card without an answer the last rows stay, hidden. */
  const useLast = (answer) => {
    const last = window.React.useRef(null);
    if (answer.rows) last.current = answer;
    return last.current;
  };

  /* The rows that are shown, put together when they are wanted. */
  const useForm = (answer, form, wanted) => window.React.useMemo(() => {
    if (!answer || !wanted) return null;
    return own.isPivot(answer, form) ? own.pivoted(answer) : { ...answer, pivot: null };
  }, [answer, form, wanted]);

  own.Table = (props) => {
    const { useEffect, useMemo, useRef, useState } = window.React;
    const { declared, shown, search, hidden } = props;
    const id = window.dash_component_api.stringifyId({ part: "table", section: declared.key });
    const place = useRef(null);
    const [built, setBuilt] = useState(false);
    const answer = useForm(useLast(props.answer), props.form, shown || built);
    own.useWhenNear(place, 0, shown && Boolean(answer), () => void setBuilt(true), []);
    const order = `spendscope-columns-${declared.key}${answer && answer.pivot ? "-pivot" : ""}`;
    const grid = useGrid(id, order, built);
    // A grid is built with what is chosen; only changes after that are told to it.
    const chosen = useRef([search, hidden]);
    useEffect(() => {
      if (!grid || (chosen.current[0] === search && chosen.current[1] === hidden)) return;
      chosen.current = [search, hidden];
      arrange(grid, props);
    }, [grid, search, hidden]);
    const of = { key: declared.key, answer };
    const [pointed, watch] = usePointed(grid, of);
    const columns = () => ordered(answer.columns, kept(order))
      .map((column) => ({ ...column, hide: hidden.includes(column.field) }));
    useFrame(grid, place, columns, answer);
    const table = useMemo(() => {
      if (!built) return null;
      return h(window.dash_ag_grid.AgGrid, {
        id, className: "grid", style: FULL, columnSize: null, defaultColDef: COLUMN,
        columnDefs: widened(columns(), answer, place.current.clientWidth), rowData: answer.rows, dashGridOptions: options(declared, answer, search),
        setProps: (told) => clicked(id, of, told),
      });
    }, [built, answer]);
    const style = { minHeight: useHeight(declared, answer) };
    return h("div", { ref: place, className: "table-frame", style, ...watch },
      table, pointed && (pointed.page ? own.pageLink(pointed.page, pointed.name, { style: pointed.style, tabIndex: -1 }) : cellEvents(pointed)));
  };
})();
