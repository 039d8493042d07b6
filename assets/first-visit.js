/* The first visit: four sentences beside what they are about (components/page/first_visit.py), over by Escape, and
   never again. A program that drives the browser is shown nothing. */
(() => {
  const KEPT = "spendscope-shown-around"; // of the demo, whose personas are many people
  const made = (name, more) => Object.assign(document.createElement(name), more);
  const [NEAR, EDGE, FOOT] = [12, 14, 70]; // pixels; a phone has the rail at its foot
  let showing = false;

  const show = (steps, done) => {
    showing = true;
    const ring = made("div", { className: "visit-ring" });
    const box = made("div", { className: "visit" });
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-labelledby", "visit-title");
    box.setAttribute("aria-describedby", "visit-text");
    box.dataset.testid = "first-visit";
    const [title, text, count] = [made("h2", { id: "visit-title" }), made("p", { id: "visit-text" }), made("span", { className: "visit-count" })];
    const skip = made("button", { type: "button", className: "visit-skip", textContent: "Skip" });
    const next = made("button", { type: "button", className: "apply" });
    const foot = made("div", { className: "visit-foot" });
    foot.append(count, skip, next);
    box.append(title, text, foot);
    let at = 0;

    const shown = (one) => one && one.getClientRects().length > 0;
    const target = () => [...document.querySelectorAll(steps[at].beside)].find(shown);
    const place = () => {
      const beside = target();
      ring.hidden = !beside;
      if (!beside) return;
      const { left, top, width, height, bottom, right } = beside.getBoundingClientRect();
      const seen = Math.min(height, window.innerHeight - Math.max(top, 0) - NEAR);
      Object.assign(ring.style, { left: `${left - 4}px`, top: `${top - 4}px`, width: `${width + 8}px`, height: `${seen + 8}px` });
      const [w, h] = [box.offsetWidth, box.offsetHeight];
      const aside = right < window.innerWidth / 4; // a place in the rail
      const [below, above, over] = [bottom + NEAR, top - NEAR - h, window.innerHeight - h - FOOT];
      const free = below + h < window.innerHeight ? below : above > EDGE ? above : over;
      const [x, y] = aside ? [right + NEAR, top + height / 2 - h / 2] : [right - w, free];
      const within = (value, size, room) => Math.min(Math.max(value, EDGE), room - size - EDGE);
      Object.assign(box.style, { left: `${within(x, w, window.innerWidth)}px`, top: `${within(y, h, window.innerHeight)}px` });
    };
    const step = () => {
      const beside = target();
      if (beside) beside.scrollIntoView({ block: "nearest" });
      [title.textContent, text.textContent] = [steps[at].title, steps[at].text];
      count.textContent = `${at + 1} of ${steps.length}`;
      next.textContent = at + 1 < steps.length ? "Next" : "Done";
      place();
    };
    const close = () => {
      if (!showing) return;
      showing = false;
      window.removeEventListener("resize", place);
      document.removeEventListener("scroll", place, true);
      document.removeEventListener("keydown", escape, true);
      ring.remove();
      box.remove();
      done();
    };
    const escape = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      close();
    };
    next.addEventListener("click", () => {
      if (at + 1 === steps.length) return void close();
      at += 1;
      step();
    });
    skip.addEventListener("click", close);
    window.addEventListener("resize", place);
    document.addEventListener("scroll", place, true);
    document.addEventListener("keydown", escape, true);
    document.body.append(ring, box);
    step();
    next.focus({ preventScroll: true });
  };

  const begin = ({ steps, byBrowser }) => {
    if (showing || !document.querySelector("#filter-bar:not([hidden])")) return;
    show(steps, () => {
      if (byBrowser) window.localStorage.setItem(KEPT, "yes");
      else window.dash_clientside.set_props("first-visit-ended", { data: "ended" });
    });
  };

  const firstVisit = {
    begin: (told) => {
      if (!told || !told.steps || navigator.webdriver) return;
      if (told.byBrowser && window.localStorage.getItem(KEPT)) return;
      requestAnimationFrame(() => begin(told));
    },
  };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { firstVisit });
})();
