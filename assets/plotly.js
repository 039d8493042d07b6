/* The library of all charts, which weighs as much as the rest: it comes with the first chart, and is
   read once the page around that stands. Charts are drawn in turn, one at a time: whoever clicks in
   between is heard. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const { content: src } = document.querySelector("meta[name='chart-code']");

  const add = (name, more) => new Promise((done, failed) => {
    document.head.append(Object.assign(document.createElement(name), { ...more, onload: done, onerror: failed }));
  });
  if (window.location.pathname.startsWith("/settings/analytics")) {
    add("link", { rel: "prefetch", as: "script", href: src }).catch(() => {});
  }

  /* The page stands, and its questions are asked. */
  const idle = (work) => (window.requestIdleCallback ? window.requestIdleCallback(work, { timeout: 200 }) : setTimeout(work, 50));
  const painted = () => new Promise((done) => requestAnimationFrame(() => idle(done)));
  let coming = null;
  own.plotly = () => {
    if (window.Plotly) return Promise.resolve();
    if (coming) return coming;
    // Here before the questions are asked, behind which it would wait.
    add("link", { rel: "preload", as: "script", href: src }).catch(() => {});
    coming = painted().then(() => add("script", { src }));
    coming.catch(() => void (coming = null));
    return coming;
  };

  const turns = [];
  let drawing = false;
  const next = () => {
    const work = turns.shift();
    drawing = Boolean(work);
    if (!work) return;
    setTimeout(next);
    work();
  };
  /* What is to be done with Plotly when it is its turn; the answer takes it back. */
  own.inTurn = (work) => {
    turns.push(work);
    if (!drawing) {
      drawing = true;
      own.plotly().then(() => setTimeout(next), () => void (drawing = false));
    }
    return () => void (turns.includes(work) && turns.splice(turns.indexOf(work), 1));
  };
})();
