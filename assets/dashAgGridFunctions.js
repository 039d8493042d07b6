/* Cells read as the server wrote them: one place says how a number looks. */
const dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
dagfuncs.shown = (params) => (params.data ? params.data[params.colDef.field + "_text"] ?? "" : "");
