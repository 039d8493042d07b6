/* What can be done with a card, behind "⋯": its events, its address, its rows and its picture as
   files, the whole screen. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);

  own.icon = (...paths) => h("svg", {
    viewBox: "0 0 16 16", width: 16, height: 16, fill: "none", stroke: "currentColor",
    strokeWidth: 1.5, strokeLinecap: "round", strokeLinejoin: "round", "aria-hidden": true,
  }, paths.map((d) => h("path", { key: d, d })));

  const DOTS = ["M3.5 8h.01M8 8h.01M12.5 8h.01"];

  const copyMarked = (text) => {
    const focused = document.activeElement;
    const field = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
    field.select();
    document.execCommand("copy");
    field.remove();
    focused.focus();
  };

  /* Clipboards are for secure addresses alone, and a browser may refuse them; then there is what is marked. */
  own.copy = async (text) => {
    if (!navigator.clipboard) return copyMarked(text);
    return navigator.clipboard.writeText(text).catch(() => copyMarked(text));
  };

  /* The view with this card in sight. */
  const address = (key) => window.location.href.replace(/#.*$/, "") + `#${key}`;

  const fill = (event) => {
    if (document.fullscreenElement) document.exitFullscreen();
    else event.currentTarget.closest("section").requestFullscreen();
  };

  document.addEventListener("fullscreenchange", () =>
    document.documentElement.classList.toggle("filled", Boolean(document.fullscreenElement)));

  const items = ({ declared, answer, measure, mode }, copied, setCopied) => {
    const { key, title, metrics } = declared;
    const rows = (suffix) => (answer.file || "").replace(".csv?", `.${suffix}?`) || undefined;
    const picture = (format) => answer.figure && mode !== "table" && {
      name: `export-${format}`, label: format.toUpperCase(), work: () => own.saveImage(answer.figure, declared, format),
    };
    return [
      { name: "show-events", label: "Events", work: () => own.showEvents({ section: key, metric: measure || metrics[0].value }) },
      { name: "copy-link", label: copied ? "Link copied" : "Copy link", stays: true, work: () => own.copy(address(key)).then(() => setCopied(true)) },
      { name: "export-csv", label: "CSV", href: rows("csv"), title: `All rows of ${title} as CSV` },
      { name: "export-xlsx", label: "Excel", href: rows("xlsx"), title: `All rows of ${title} as XLSX` },
      picture("png"),
      picture("svg"),
      { name: "full-screen", label: "Full screen", work: fill },
    ].filter(Boolean);
  };

  const item = ({ name, label, href, title, work, stays }, close) => h(work ? "button" : "a", {
    key: name, role: "menuitem", tabIndex: -1, className: "menu-item", title, "data-testid": name,
    ...(work ? { type: "button" } : { href, download: "" }),
    onClick: (event) => {
      if (work) work(event);
      if (!stays) close();
    },
  }, label);

  const KEYS = { ArrowDown: (at) => at + 1, ArrowUp: (at) => at - 1, Home: () => 0, End: () => -1 };

  /* Arrows go round, Escape goes back to the button, Tab and a click elsewhere leave. */
  const press = (box, setOpen) => (event) => {
    const all = [...box.current.querySelectorAll("[role='menuitem']")];
    const move = KEYS[event.key];
    if (event.key === "Escape") {
      setOpen(false);
      box.current.querySelector("button").focus();
    } else if (event.key === "Tab") setOpen(false);
    else if (move) all[(move(all.indexOf(document.activeElement)) + all.length) % all.length].focus();
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };

  own.CardMenu = (props) => {
    const { useEffect, useRef, useState } = window.React;
    const [box, [open, setOpen], [copied, setCopied]] = [useRef(null), useState(false), useState(false)];
    const label = `More for ${props.declared.title}`;
    useEffect(() => {
      if (!open) return undefined;
      box.current.querySelector("[role='menuitem']").focus();
      const leave = ({ target }) => box.current.contains(target) || setOpen(false);
      document.addEventListener("pointerdown", leave);
      return () => document.removeEventListener("pointerdown", leave);
    }, [open]);
    const turn = () => {
      setCopied(false);
      setOpen(!open);
    };
    const keys = (event) => (open ? press(box, setOpen)(event) : event.key === "ArrowDown" && turn());
    return h("div", { ref: box, className: "card-menu", onKeyDown: keys },
      h("button", {
        type: "button", className: "icon-button", title: label, "aria-label": label, "aria-haspopup": "menu",
        "aria-expanded": String(open), onClick: turn, "data-testid": "more",
      }, own.icon(...DOTS)),
      h("div", { className: "menu", role: "menu", "aria-label": label, hidden: !open },
        items(props, copied, setCopied).map((one) => item(one, () => setOpen(false)))),
      h("span", { className: "visually-hidden", role: "status" }, copied ? "Link copied" : ""));
  };
})();
