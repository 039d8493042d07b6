/* A table over time as a pivot: a row a bucket, a column a value of the breakdown. The server has said
   which columns there are, and their totals (components/page/pivot.py). */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);
  const LONG = "long";

  const bucket = ({ time, time_text, narrows }, totals) =>
    ({ time, time_text, ...totals[time], narrows: { values: {}, bucket: narrows.bucket } });

  /* Columns, rows and the last row as a table wants them, of an answer in its long form. */
  own.pivoted = ({ rows, pivot }) => {
    const { fields, measure, totals, columns, total } = pivot;
    const buckets = new Map();
    rows.forEach((row) => {
      if (!buckets.has(row.time)) buckets.set(row.time, bucket(row, totals));
      const field = fields[row.place];
      if (field) Object.assign(buckets.get(row.time), { [field]: row[measure], [`${field}_text`]: row[`${measure}_text`] });
    });
    return { columns, rows: [...buckets.values()], total, pivot };
  };

  own.isPivot = ({ pivot }, form) => Boolean(pivot) && form !== LONG;

  /* What a cell is about: its row, and in a pivot its column, too. Null of what cannot be told apart. */
  own.cellOf = ({ pivot }, section, column, narrows) => {
    if (!pivot) return { section, metric: column, ...narrows };
    const values = column in pivot.marks ? pivot.marks[column] : {};
    return values && { section, metric: pivot.measure, ...narrows, values };
  };
  own.narrowed = (answer, section, column, narrows) => own.cellOf(answer, section, column, narrows) || narrows;

  own.FormToggle = ({ declared, answer, form, setProps }) => {
    const pivot = own.isPivot(answer, form);
    const [next, label, title] = pivot
      ? [LONG, "Long form", "A row for each time and value, with all numbers, as in the file"]
      : ["", "Pivot", "A row for each time, a column for each value"];
    return answer.pivot ? h("button", {
      type: "button", className: "quiet", title, "data-testid": "form",
      onClick: () => {
        setProps({ form: next });
        own.rememberForm(declared.key, next);
      },
    }, label) : null;
  };
})();
