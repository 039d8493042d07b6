/* What a click on a number leads to: a narrower choice, or the events behind it; and chart or table.
   The server hears of it by a store. */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const tell = (store, data) => window.dash_clientside.set_props(store, { data });

  /* The same can be clicked again later: each click is a question of its own. */
  const told = ({ values, bucket, ...more }) => {
    const [from, to] = bucket || [null, null];
    return { ...more, values: values || {}, from, to, at: Date.now() };
  };

  own.narrow = ({ values, bucket }) => {
    if (bucket || Object.keys(values || {}).length) tell("drill", told({ values, bucket }));
  };

  /* By what the numbers of a card are broken down, for the columns that lead; and what its page is about. */
  const asked = (card) => {
    const { props: { by = "", of = "" } = {} } = window.dash_component_api.getLayout({ card }) || {};
    return { by, of };
  };

  own.showEvents = (number) => tell("events-of", told({ ...(number.section && asked(number.section)), ...number }));

  /* All events of what a page is about. */
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-events-of]");
    if (button) own.showEvents({ section: "", metric: "events", of: button.dataset.eventsOf });
  });

  own.chooseMode = (key, mode) => {
    const { data } = window.dash_component_api.getLayout("modes").props;
    const { all, own: held } = data || { all: "chart", own: {} };
    tell("modes", { all, own: { ...held, [key]: mode } });
  };
})();
