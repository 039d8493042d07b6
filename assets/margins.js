/* Room for what stands beside a chart: labels of the values, of time, the legend. Plotly finds it by drawing
   everything twice; where what is kept here is enough, it draws once, and where it is not, Plotly corrects it. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const [EDGE, DIGIT, LABELS] = [8, 8, 21]; // pixels: around all, a character, the line of time
  const [ROW, HEAD, KEY, GAP] = [19, 10, 40, 5]; // of the legend: a line, around all, before a name, after it
  let pen = null;
  const wide = (text) => {
    if (!pen) {
      pen = document.createElement("canvas").getContext("2d");
      pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    }
    return pen.measureText(text).width;
  };

  /* The largest value of an axis: of what is stacked, the sum. */
  const largest = (data, name) => {
    const sums = new Map();
    let most = 0;
    for (const { type, x, y, yaxis } of data) {
      if ((yaxis || "y") !== name) continue;
      y.forEach((value, at) => {
        const sum = value + (type === "bar" && sums.get(x[at]) || 0);
        if (type === "bar") sums.set(x[at], sum);
        most = Math.max(most, sum);
      });
    }
    return most;
  };

  /* How long the labels of an axis get whose steps are 1, 2 or 5 of something. */
  const characters = ({ tickprefix = "", ticksuffix = "", tickformat }, most) => {
    if (!most) return 4;
    const power = Math.floor(Math.log10(most));
    const thousands = tickformat === "~s" && power >= 3 ? Math.floor(power / 3) : 0;
    const step = 10 ** Math.floor(Math.log10(most / 4));
    const top = String(Number((Math.floor(most / step) * step / 1000 ** thousands).toPrecision(2)));
    const least = String(Number((step / 1000 ** thousands).toPrecision(1)));
    return Math.max(top.length, least.length) + (thousands ? 1 : 0) + tickprefix.length + ticksuffix.length;
  };

  const rows = (data, layout, room) => {
    const names = layout.showlegend ? data.filter(({ showlegend }) => showlegend !== false).map(({ name }) => wide(name) + KEY) : [];
    if (!names.length) return 0;
    const line = names.reduce((sum, name) => sum + name + GAP, 0);
    if (line <= room) return 1;
    const columns = Math.max(1, Math.floor(room / (Math.max(...names) + GAP)));
    return Math.ceil(names.length / columns);
  };

  /* What the last label of time is wider than its bucket. */
  const overhang = ({ tickvals, ticktext }, buckets, room) => {
    const step = room / buckets.length;
    const last = buckets.length - buckets.indexOf(tickvals[tickvals.length - 1]) - 0.5;
    return Math.max(0, wide(ticktext[ticktext.length - 1]) / 2 - last * step);
  };

  /* The margins of a chart over time; others have theirs from the start. */
  own.margins = (data, layout, width) => {
    const { xaxis, margin } = layout;
    if (!data.length || xaxis.type !== "category" || !xaxis.ticktext.length) return margin;
    const axes = Object.entries(layout).filter(([key]) => key.startsWith("yaxis"));
    const label = Math.max(...axes.map(([key, axis]) => characters(axis, largest(data, key.replace("axis", "")))));
    const l = EDGE + 1 + label * DIGIT;
    const over = (layout.meta || {}).panels ? 1 : overhang(xaxis, data[0].x, width - l - EDGE);
    const r = EDGE + (over && over + 2);
    const lines = rows(data, layout, width - l - r);
    return { ...margin, l, r, b: EDGE + LABELS + (lines && HEAD + ROW * lines) };
  };
})();
