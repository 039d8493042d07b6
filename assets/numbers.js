/* Numbers and dates as the reader's language writes them: the server has written `1,234.5` and `7–13 Nov 2026`.
   Where the browser writes them so, too, nothing is done. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const language = navigator.language || "en-GB";
  const parts = new Intl.NumberFormat(language).formatToParts(1234567.8);
  const part = (name, otherwise) => (parts.find(({ type }) => type === name) || { value: otherwise }).value;
  const [group, point] = [part("group", ""), part("decimal", ".")];
  const NUMBER = /\d{1,3}(,\d{3})+(\.\d+)?|\d+\.\d+/g;
  const turned = (number) => number.replace(/[.,]/g, (sign) => (sign === "," ? group : point));
  const numbersAsWritten = group === "," && point === ".";

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const DATE = new RegExp(`(?:\\b(\\d{1,2})(?:–(\\d{1,2}))? )?\\b(${MONTHS.join("|")})\\b(?: (\\d{4}))?`, "g");
  const LEAP = 2024; // of a date without a year
  /* A format takes longer to make than a hundred dates to write. */
  const formats = new Map();
  const formatOf = (day, year) => {
    const key = `${Boolean(day)} ${Boolean(year)}`;
    if (!formats.has(key)) {
      formats.set(key, new Intl.DateTimeFormat(language, {
        month: "short", timeZone: "UTC", ...(day ? { day: "numeric" } : {}), ...(year ? { year: "numeric" } : {}),
      }));
    }
    return formats.get(key);
  };
  const written = (text, from, to, month, year) => {
    if (!from && !year) return text;
    const format = formatOf(from, year);
    const day = (one) => Date.UTC(year || LEAP, MONTHS.indexOf(month), one || 1);
    return to ? format.formatRange(day(from), day(to)) : format.format(day(from));
  };
  const datesAsWritten = written("", "14", "", "Nov", "2026") === "14 Nov 2026";
  const asWritten = numbersAsWritten && datesAsWritten;

  /* Of texts that are numbers or times, never of names. */
  own.number = (text) => {
    if (asWritten || typeof text !== "string") return text;
    const counted = numbersAsWritten ? text : text.replace(NUMBER, turned);
    return datesAsWritten ? counted : counted.replace(DATE, written);
  };
  own.numbers = (texts) => (asWritten ? texts : texts.map((one) => (Array.isArray(one) ? own.numbers(one) : own.number(one))));
  own.separators = point + group; // as Plotly takes them

  /* The buckets of a chart are called by their dates, and so is what they are compared with. */
  own.dated = ({ data, layout }) => {
    if (datesAsWritten) return;
    data.forEach((trace) => {
      if (Array.isArray(trace.x)) trace.x = own.numbers(trace.x);
      if (trace.meta && trace.meta.earlier) trace.name = own.number(trace.name);
    });
    Object.entries(layout).forEach(([name, axis]) => {
      if (!name.startsWith("xaxis") || !axis.ticktext) return;
      Object.assign(axis, { ticktext: own.numbers(axis.ticktext), tickvals: own.numbers(axis.tickvals) });
    });
  };

  /* What the server has drawn is turned where it stands. */
  const PLACES = ".window, .about-head dd, .recent time, .timeline time, .events-window";
  const turn = () => document.querySelectorAll(PLACES).forEach((place) => {
    const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const [node, text] = [texts.currentNode, texts.currentNode.nodeValue.replace(DATE, written)];
      if (text !== node.nodeValue) node.nodeValue = text;
    }
  });
  if (!datesAsWritten) {
    let due = 0;
    const wait = () => {
      due = due || requestAnimationFrame(() => {
        due = 0;
        turn();
      });
    };
    const watch = () => new MutationObserver(wait).observe(document.body, { subtree: true, childList: true, characterData: true });
    document.addEventListener("DOMContentLoaded", watch);
  }
})();
