/* The library of all tables, which weighs as much as the rest but Plotly: it comes when a table is
   wanted, or in idle time where one was wanted before. */
(() => {
  const WANTED = "spendscope-tables";
  const { createElement, useEffect, useState } = window.React;
  let [library, coming] = [null, null];

  const arrived = () => {
    library = window.dash_ag_grid;
    // Dash goes on drawing with ours: another component would be another grid.
    window.dash_ag_grid = { ...library, AgGrid };
    return library;
  };

  const add = (name, more) => new Promise((done, failed) => {
    const onload = () => done();
    document.head.append(Object.assign(document.createElement(name), { ...more, onload, onerror: failed }));
  });

  /* Its second part is asked for by the first table: browsers complain of what is preloaded and
     not used at once, so without a table it is only fetched `ahead`. */
  const load = (ahead) => {
    if (coming) return coming;
    const { content: src, dataset } = document.querySelector("meta[name='grid-code']");
    const rel = ahead ? "prefetch" : "preload";
    add("link", { rel, as: "script", href: dataset.more }).catch(() => {});
    coming = add("script", { src }).then(arrived);
    coming.catch(() => void (coming = null));
    return coming;
  };

  const AgGrid = (props) => {
    const [found, setFound] = useState(library);
    useEffect(() => {
      if (found) return;
      window.localStorage.setItem(WANTED, "1");
      load().then(setFound, () => {});
    }, []);
    return found && createElement(found.AgGrid, props);
  };
  // What Dash looks for on the component itself, as on the library's.
  AgGrid.dashRenderType = true;
  AgGrid.dashPersistence = { persisted_props: ["selectedRows"], persistence_type: "local" };

  window.dash_ag_grid = {
    AgGrid,
    getApi: () => undefined,
    getApiAsync: (id) => load().then(({ getApiAsync }) => getApiAsync(id)),
  };

  if (window.localStorage.getItem(WANTED) && window.requestIdleCallback) {
    window.addEventListener("load", () => window.requestIdleCallback(() => load(true)));
  }
  document.addEventListener("pointerover", ({ target }) => {
    if (target.closest && target.closest(".mode-table, .switch")) load(true);
  });

  /* Cells read as the server wrote them: one place says how a number looks. */
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  /* What is only compared with: no number that a reader could see the events of. */
  functions.compared = ({ data, colDef }) => `compared ${data?.[colDef.field + "_mood"] ?? "even"}`;
  functions.shown = ({ data, colDef }) => data?.[colDef.field + "_text"] ?? data?.[colDef.field] ?? "";
})();
