/* What the lists of users and projects have beside their entries: whether those that are chosen are kept or
   left out, and all that have a text in their name. The list itself is Dash's (components/page/pickers.py). */
(() => {
  const made = (name, more) => Object.assign(document.createElement(name), more);
  const operatorOf = (field) => ({ of: "operator", pick: field });
  const IS = "is";
  const NAMED = { user: "Everyone", project: "Every project" };
  const held = (field) => window.dash_component_api.getLayout(operatorOf(field)).props.value;

  /* Dash opens a list as Return is let go over it: not one that the same Return has closed. */
  const ignoreRelease = () => document.addEventListener("keyup", (event) => event.key === "Enter" && event.stopPropagation(), { capture: true, once: true });

  const bar = (field, content) => {
    const box = made("div", { className: "picker-bar" });
    const sides = made("div", { className: "sides" });
    sides.setAttribute("role", "group");
    sides.setAttribute("aria-label", "Those chosen");
    const buttons = [[IS, "Only these"], ["not_", "All but these"]].map(([operator, textContent]) => {
      const button = made("button", { type: "button", className: "side", textContent });
      button.dataset.operator = operator;
      button.addEventListener("click", () => {
        window.dash_clientside.set_props(operatorOf(field), { value: operator });
        show(operator);
      });
      return button;
    });
    const show = (operator) => buttons.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.operator === operator)));
    const within = made("button", { type: "button", className: "within" });
    const search = content.querySelector("input[type=search]");
    const say = () => {
      const text = search.value.trim();
      within.hidden = !text;
      within.textContent = `${NAMED[field]} with “${text}” in the name`;
    };
    within.addEventListener("click", () => {
      const text = search.value.trim();
      ignoreRelease();
      search.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
      window.spendscope.narrow({ values: { [`contains_${field}`]: text } });
    });
    search.addEventListener("input", say);
    show(held(field));
    say();
    sides.append(...buttons);
    box.append(sides, within);
    return box;
  };

  /* Dash's list is made of labels that say they are options, each around a checkbox, and has no name. The checkbox
     is the option, and is told what its label is told; lists of one choice are of radio buttons, which are none. */
  const mend = (list) => list.querySelectorAll("label[aria-selected]").forEach((label) => {
    const option = label.querySelector("input");
    option.type = "checkbox";
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", label.getAttribute("aria-selected"));
    label.removeAttribute("aria-selected");
    label.removeAttribute("role");
  });
  const named = (content, name) => {
    const list = content.querySelector("[role='listbox']");
    [content, list].forEach((one) => one && one.setAttribute("aria-label", name));
    if (content.querySelector(".dash-dropdown-actions") && list) list.setAttribute("aria-multiselectable", "true");
    const search = content.querySelector("input[type=search]");
    if (search) search.setAttribute("aria-label", `Search: ${name}`);
    mend(content);
  };

  window.spendscope.openedPicker = (content) => {
    const people = content.closest(".people:not(.condition)");
    if (people) content.insertBefore(bar(people.dataset.field, content), content.querySelector(".dash-dropdown-actions"));
    const name = content.closest(".people, .zone").firstElementChild.textContent;
    named(content, name);
    new MutationObserver(() => named(content, name)).observe(content, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
  };

  /* Dash leads Tab from the search to the entries: what stands between them has its turn, too. */
  document.addEventListener("keydown", (event) => {
    const content = event.key === "Tab" && event.target.closest && event.target.closest(".dash-dropdown-content");
    if (!content) return;
    const stops = [...content.querySelectorAll("input[type=search], .picker-bar button, .dash-dropdown-action-button")].filter((one) => !one.hidden);
    const next = stops[stops.indexOf(event.target) + (event.shiftKey ? -1 : 1)];
    if (!stops.includes(event.target) || !next) return;
    event.preventDefault();
    event.stopPropagation();
    next.focus();
  }, true);
})();
