/* The filter bar's own: chips that are taken back, and the drawer of more filters. */
(() => {
  /* A chip is no component: being drawn anew cannot swallow its click. Those that were clicked
     while the answer to the one before was on its way go together. */
  let taken = [];
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-chip]");
    if (!chip) return;
    taken = [...taken, { chip: chip.dataset.chip, value: chip.dataset.value }];
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
  /* A list of six hundred makes an index of them, opened or not. */
  const offerZones = (id) => {
    const options = window.dash_component_api.getLayout("zones").props.data;
    window.dash_clientside.set_props(id, { options });
  };
  document.addEventListener("pointerdown", offer, true);
  document.addEventListener("focusin", offer);

  const filters = {
    /* An address says what it means: the reader's preference, names in one order. */
    address: (search) => {
      if (typeof search !== "string" || search === window.location.search) return;
      window.history.replaceState({}, "", window.location.pathname + search);
    },
    settled: () => void (taken = []),
    open: (clicks, open) => (clicks ? !open : window.dash_clientside.no_update),
  };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { filters });
})();
