/* Small charts side by side (components/shapes/side_by_side.py has them): as many in a row as there is room for. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const [NARROW, GAP, HEAD, TICK, LETTER] = [560, 26, 44, 72, 8]; // pixels
  const columnsOf = (panels, width) => {
    if (width < NARROW) return panels > 2 ? 2 : 1;
    return panels <= 3 ? panels : panels === 4 ? 2 : 3;
  };
  const spread = ({ tickvals, ticktext }, room) => {
    const step = Math.ceil(tickvals.length / Math.max(2, Math.floor(room / TICK)));
    const kept = (all) => all.filter((_, at) => at % step === 0);
    return { tickvals: kept(tickvals), ticktext: kept(ticktext), autotickangles: [0], tickangle: 0 };
  };

  /* A name that is wider than its panel is cut in the middle, as everywhere. */
  const cut = (name, room) => {
    const most = Math.floor(room / LETTER);
    if (name.length <= most) return name;
    return `${name.slice(0, Math.ceil((most - 1) / 2)).trimEnd()}…${name.slice(1 - Math.ceil(most / 2)).trimStart()}`;
  };

  own.arranged = (layout, width, height) => {
    const { panels } = layout.meta || {};
    if (!panels) return layout;
    const columns = columnsOf(panels, width);
    const rows = Math.ceil(panels / columns);
    const [across, down] = [GAP / width, HEAD / height];
    const [wide, high] = [(1 - across * (columns - 1)) / columns, (1 - down * rows) / rows];
    for (let at = 0; at < panels; at += 1) {
      const [column, row, number] = [at % columns, Math.floor(at / columns), at ? at + 1 : ""];
      const [left, top] = [column * (wide + across), 1 - row * (high + down) - down / 2];
      const [x, y] = [layout[`xaxis${number}`], layout[`yaxis${number}`]];
      Object.assign(x, { domain: [left, left + wide], showticklabels: at + columns >= panels }, spread(x, wide * width));
      Object.assign(y, { domain: [top - high, top], showticklabels: column === 0 });
      const text = layout.annotations[at].text.replace(/(?<=^<b>).*(?=<\/b>$)/, (name) => cut(name, wide * width));
      Object.assign(layout.annotations[at], { x: left, y: top, text });
    }
    return layout;
  };
})();
