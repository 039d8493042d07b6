/* The filter bar's own: chips that are taken back, and the drawer of more filters. */
(() => {
  /* A chip is no component: being drawn anew cannot swallow its click. Those that were clicked
     while the answer to the one before was on its way go together. */
  let taken = [];
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-chip], [data-flip]");
    if (!chip) return;
    const { chip: removed, flip, value } = chip.dataset;
    taken = [...taken, { chip: removed || flip, value, ...(flip ? { flip: true } : {}) }];
    window.dash_clientside.set_props("taken-back", { data: taken });
  });

  /* What a list offers is asked for as it is opened: not before, as most never are. */
  const offer = (event) => {
    const box = event.target.closest && event.target.closest(".people, .zone");
    const list = box && box.querySelector("button.dash-dropdown");
    if (!list) return;
    if (box.matches(".zone")) return void offerZones(list.id);
    const id = JSON.parse(list.id);
    const { search_value: searched } = window.dash_component_api.getLayout(id).props;
    if (searched === undefined || searched === null) {
      window.dash_clientside.set_props(id, { search_value: "" });
    }
  };
  const offset = (timeZone) => {
    const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" }).formatToParts();
    return parts.find(({ type }) => type === "timeZoneName").value.replace("GMT", "UTC");
  };
  /* A list of six hundred makes an index of them, opened or not. */
  const named = (zone) => {
    try {
      return { value: zone, label: `${zone} · ${offset(zone)}` };
    } catch {
      return { value: zone, label: zone };
    }
  };
  const offerZones = (id) => {
    const zones = window.dash_component_api.getLayout("zones").props.data;
    window.dash_clientside.set_props(id, { options: zones.map(named) });
  };

  /* On a phone all but the time is on a sheet, which leaves as menus do. */
  const sheet = (open) => {
    const bar = document.getElementById("filter-bar");
    bar.toggleAttribute("data-open", open);
    bar.querySelector(".sheet-open").setAttribute("aria-expanded", String(open));
  };
  const opened = () => document.querySelector("#filter-bar[data-open]");
  document.addEventListener("click", ({ target }) => {
    if (target.closest(".sheet-open")) sheet(!opened());
    else if (opened() && !target.closest("#filter-sheet, .dash-dropdown-content, .offcanvas, .chips")) sheet(false);
  });
  document.addEventListener("keydown", (event) => {
    // Of a list on it, Escape closes the list.
    if (event.key !== "Escape" || !opened() || event.target.closest(".dash-dropdown-content")) return;
    sheet(false);
    document.querySelector(".sheet-open").focus();
  });

  /* The whole view is its address. */
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("#copy-view");
    if (!button) return;
    window.spendscope.copy(window.location.href).then(() => {
      button.dataset.copied = "true";
      button.setAttribute("aria-label", "Link copied");
      button.addEventListener("blur", () => {
        delete button.dataset.copied;
        button.setAttribute("aria-label", "Copy link to this view");
      }, { once: true });
    });
  });
  document.addEventListener("pointerdown", offer, true);
  document.addEventListener("focusin", offer);

  const filters = {
    /* An address says what it means: the reader's preference, names in one order. */
    address: (search) => {
      if (typeof search !== "string") return;
      if (search !== window.location.search) window.history.replaceState({}, "", window.location.pathname + search);
      window.spendscope.keepModes();
    },
    /* Where the reader is: for the window's name, and for those who hear the page. */
    place: (names, choice) => {
      requestAnimationFrame(() => {
        document.querySelectorAll(".tab-link, .rail-link").forEach((link) => {
          if (link.classList.contains("active")) link.setAttribute("aria-current", "page");
          else link.removeAttribute("aria-current");
        });
        const [tab, head] = [document.querySelector(".tabs:not([hidden]) .tab-link.active"), document.getElementById("page-title")];
        const [filtered, about] = [document.querySelector("#filter-bar:not([hidden])"), document.querySelector("[data-testid='about']")];
        const parts = [about ? about.dataset.name : tab ? tab.textContent : head && head.textContent, filtered && choice && choice.label, "Spendscope"];
        window.spendscope.showRefresh();
        document.title = parts.filter(Boolean).join(" · ");
      });
    },
    settled: () => void (taken = []),
    open: (clicks, open) => (clicks ? !open : window.dash_clientside.no_update),
  };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { filters });
})();
