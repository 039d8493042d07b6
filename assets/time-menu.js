/* When: the pill of the header and its menu: ranges of one click, hours and days that roll, a calendar of
   two months in the reader's language, the zone (components/page/time_menu.py declares it). */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);
  const testid = (name) => ({ "data-testid": name });
  const LANGUAGE = navigator.language || "en-GB";
  const DAY = 86400000;

  /* Days are reckoned in UTC, as texts like 2026-11-20: no zone or summer time gets between. */
  const date = (text) => new Date(`${text}T00:00Z`);
  const text = (at) => at.toISOString().slice(0, 10);
  const plus = (day, days) => text(new Date(date(day).getTime() + days * DAY));
  const written = (day, options) => date(day).toLocaleDateString(LANGUAGE, { timeZone: "UTC", ...options });
  const monthOf = (day, more = 0) => {
    const at = date(`${day.slice(0, 7)}-01`);
    at.setUTCMonth(at.getUTCMonth() + more);
    return text(at);
  };

  /* The first day of the week, as Monday = 1 … Sunday = 7. */
  const firstDay = () => {
    try {
      const locale = new Intl.Locale(LANGUAGE);
      return (locale.getWeekInfo ? locale.getWeekInfo() : locale.weekInfo).firstDay;
    } catch {
      return 1;
    }
  };

  /* A month's days in weeks, with gaps before the first. */
  const weeks = (month) => {
    const gap = (date(month).getUTCDay() + 7 - (firstDay() % 7)) % 7;
    const days = Math.round((date(monthOf(month, 1)) - date(month)) / DAY);
    return [...Array(gap).fill(null), ...Array.from({ length: days }, (_, at) => plus(month, at))];
  };

  const tell = (means) => window.dash_clientside.set_props("time-chosen", { data: { ...means, at: Date.now() } });

  /* A range that ends at midnight has the day before as its last. */
  const last = (to) => (to.slice(11) === "00:00" ? plus(to.slice(0, 10), -1) : to.slice(0, 10));
  const ordered = (from, to) => (from <= to ? [from, to] : [to, from]);

  const MOVES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

  const month = (first, range, pick, show) => h("div", { key: first, className: "month" },
    h("div", { className: "month-name" }, written(first, { month: "long", year: "numeric" })),
    h("div", { className: "days", role: "group", "aria-label": written(first, { month: "long", year: "numeric" }) },
      Array.from({ length: 7 }, (_, at) => h("span", { key: `name${at}`, className: "weekday", "aria-hidden": true },
        written(plus("2024-01-01", firstDay() - 1 + at), { weekday: "narrow" }))),
      weeks(first).map((day, at) => (day === null ? h("span", { key: `gap${at}` }) : h("button", {
        key: day, type: "button", "data-day": day, "aria-label": written(day, { dateStyle: "full" }),
        "aria-pressed": String(range[0] <= day && day <= range[1]),
        className: day === range[0] || day === range[1] ? "day end" : "day",
        tabIndex: day === range[0] || (at === first.length && range[0] < first) ? 0 : -1,
        onClick: () => pick(day),
        onKeyDown: (event) => {
          if (!MOVES[event.key]) return;
          event.preventDefault();
          show(plus(day, MOVES[event.key]));
        },
      }, Number(day.slice(8)))))));

  /* Two months and the two moments; what is picked first may be either end. */
  const Calendar = ({ choice, done }) => {
    const { useRef, useState } = window.React;
    const box = useRef(null);
    const [[from, to], setRange] = useState([choice.from, choice.to]);
    const [open, setOpen] = useState(false); // one end is picked, the other is to come
    const [first, setFirst] = useState(monthOf(last(choice.to), -1));
    const pick = (day) => {
      if (!open) setRange([`${day}T00:00`, `${plus(day, 1)}T00:00`]);
      else {
        const [start, end] = ordered(from.slice(0, 10), day);
        setRange([`${start}T00:00`, `${plus(end, 1)}T00:00`]);
      }
      setOpen(!open);
    };
    const show = (day) => {
      if (day < first) setFirst(monthOf(first, -1));
      if (day >= monthOf(first, 2)) setFirst(monthOf(first, 1));
      requestAnimationFrame(() => {
        const found = box.current.querySelector(`[data-day="${day}"]`);
        if (found) found.focus();
      });
    };
    const field = (name, value, change) => h("label", { key: name }, h("span", null, name),
      h("input", { type: "datetime-local", className: "form-control", value, onChange: (event) => event.target.value && change(event.target.value) }));
    const turn = (by, label, sign) => h("button", {
      key: label, type: "button", className: "icon-button", "aria-label": label, onClick: () => setFirst(monthOf(first, by)),
    }, sign);
    const range = [from.slice(0, 10), last(to)];
    const apply = () => {
      const [start, end] = ordered(from, to);
      tell({ preset: "custom", from: start, to: start === end ? `${plus(end.slice(0, 10), 1)}T00:00` : end });
      done();
    };
    return h("div", { className: "calendar", ref: box },
      h("div", { className: "months" }, turn(-1, "Month before", "‹"),
        [first, monthOf(first, 1)].map((one) => month(one, range, pick, show)), turn(1, "Month after", "›")),
      h("div", { className: "moments" },
        field("From", from, (value) => setRange([value, to])), field("To", to, (value) => setRange([from, value])),
        h("button", { type: "button", className: "apply", onClick: apply, ...testid("time-apply") }, "Apply")));
  };

  /* Last [24] hours: typed, then Enter or Apply. */
  const rolling = (preset, unit, choice, done) => {
    const apply = (box) => {
      const n = box.querySelector("input").value;
      tell({ preset, n });
      done();
    };
    return h("form", {
      key: preset, className: "rolling", onSubmit: (event) => {
        event.preventDefault();
        apply(event.currentTarget);
      },
    }, "Last ", h("input", {
      className: "form-control", inputMode: "numeric", "aria-label": `Last N ${unit}`, maxLength: 6,
      defaultValue: choice.preset === preset ? choice.n : { hours: 24, days: 7 }[unit], ...testid(`time-n-${unit}`),
    }), ` ${unit}`, h("button", { type: "submit", className: "icon-button", "aria-label": `Show the last N ${unit}` }, "→"));
  };

  const isNow = (means, choice) => means.preset === choice.preset && (means.n === undefined || means.n === choice.n);

  const menu = (choice, quick, done) => {
    const ready = (label, means) => h("button", {
      key: label, type: "button", className: "menu-item", "aria-pressed": String(isNow(means, choice)),
      onClick: () => {
        tell(means);
        done();
      }, ...testid(`time-${label.toLowerCase().replaceAll(" ", "-")}`),
    }, label);
    return [
      h("div", { key: "quick", className: "time-quick" }, quick.map(({ label, means }) => ready(label, means))),
      h("div", { key: "chosen", className: "time-chosen" },
        h("div", { className: "time-rolling" },
          ready("Last hour", { preset: "last_hour" }), rolling("last_n_hours", "hours", choice, done),
          rolling("last_n_days", "days", choice, done), ready("Last month", { preset: "last_month" })),
        h(Calendar, { choice, done })),
    ];
  };

  /* Open by click, closed by Escape, a choice, and a click elsewhere. */
  own.usePopover = (box, opener) => {
    const { useEffect, useState } = window.React;
    const [open, setOpen] = useState(false);
    useEffect(() => {
      if (!open) return undefined;
      const leave = ({ target }) => target.isConnected && !box.current.contains(target) && !target.closest(".dash-dropdown-content") && setOpen(false);
      const press = (event) => {
        // Of a list in it, Escape closes the list.
        if (event.key !== "Escape" || event.target.closest(".dash-dropdown-content")) return;
        setOpen(false);
        box.current.querySelector(opener).focus();
      };
      document.addEventListener("pointerdown", leave);
      document.addEventListener("keydown", press);
      return () => {
        document.removeEventListener("pointerdown", leave);
        document.removeEventListener("keydown", press);
      };
    }, [open]);
    return [open, setOpen];
  };

  own.TimeMenu = ({ id, children, quick, choice }) => {
    const { Children, useRef } = window.React;
    const box = useRef(null);
    const [open, setOpen] = own.usePopover(box, ".time-open");
    const [pill, zone] = Children.toArray(children);
    const label = `Time: ${choice.label || ""}`;
    // All of the pill opens the menu, but for its fields; the button is its end.
    const press = ({ target }) => target.closest("input, .time-menu") || setOpen(!open);
    return h("div", { id, ref: box, className: "time-box", "data-preset": choice.preset, onClick: press },
      pill,
      h("button", {
        type: "button", className: "time-open", "aria-haspopup": "dialog", "aria-expanded": String(open),
        "aria-label": label, title: label, ...testid("time-open"),
      }),
      h("div", { className: "time-menu", role: "dialog", "aria-label": "Time", hidden: !open },
        open && menu(choice, quick, () => setOpen(false)), zone));
  };
})();
