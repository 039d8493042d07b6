/* Cells read as the server wrote them: one place says how a number looks. */
const dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
dagfuncs.shown = ({ data, colDef }) => data?.[colDef.field + "_text"] ?? data?.[colDef.field] ?? "";
