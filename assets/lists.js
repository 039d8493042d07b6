/* Lists with a search are Dash's own: its code is a quarter of what else is loaded beside Plotly, and comes when one is
   about to be opened. Until then it stands there closed, as it will. */
(() => {
  const { createElement: h, useEffect, useLayoutEffect, useRef, useState } = window.React;
  const icon = (className, d) => h("svg", { className, width: 15, height: 15, viewBox: "0 0 15 15", fill: "none", "aria-hidden": true },
    h("path", { d, stroke: "currentColor", strokeLinecap: "round" }));
  const chosen = ({ value }) => (Array.isArray(value) ? value : [value]).filter((one) => one !== null && one !== undefined);
  const called = ({ options }, value) => (options || []).find((one) => one.value === value) || {};

  /* What opens it, before it can be. */
  const closed = (props, more) => {
    const { id, className, labels, placeholder, clearable = true, multi, setProps } = props;
    const values = chosen(props);
    const clear = (event) => {
      event.stopPropagation();
      setProps({ value: multi ? [] : null });
    };
    return h("div", { className: "dash-dropdown-wrapper" }, h("button", {
      ...more, id, type: "button", tabIndex: 0, className: `dash-dropdown ${className || ""}`, "aria-haspopup": "listbox", "aria-expanded": false,
      "aria-labelledby": `${id}-value-count ${id}-value`, "data-state": "closed",
    }, h("span", { className: "dash-dropdown-grid-container dash-dropdown-trigger" },
      h("span", { id: `${id}-value`, className: values.length ? "dash-dropdown-value" : "dash-dropdown-value dash-dropdown-placeholder" },
        values.length ? values.map((one) => h("span", { key: one, className: "dash-dropdown-value-item" },
          h("span", { title: called(props, one).title }, called(props, one).label))) : placeholder),
      values.length > 1 && h("span", { id: `${id}-value-count`, className: "dash-dropdown-value-count" },
        ((labels || {}).selected_count || "{num_selected}").replace("{num_selected}", values.length)),
      clearable && values.length > 0 && h("a", { className: "dash-dropdown-clear", title: "Clear selection", "aria-label": "Clear selection", onClick: clear },
        icon("", "M3 3l9 9M12 3l-9 9")),
      icon("dash-dropdown-trigger-icon", "M4.5 6.5l3 3 3-3"))));
  };

  /* The list itself takes the place of the closed one once it can be opened, with the keyboard and what was clicked. */
  const Dropdown = (props) => {
    const place = useRef(null);
    const begun = useRef({});
    const [wanted, setWanted] = useState(false);
    const found = useLibrary(wanted);
    const [there, setThere] = useState(false);
    useLayoutEffect(() => {
      if (!found || there) return undefined;
      const look = () => place.current.querySelector("button") && setThere(true);
      const watch = new MutationObserver(look);
      watch.observe(place.current, { childList: true, subtree: true });
      look();
      return () => watch.disconnect();
    }, [found, there]);
    useEffect(() => {
      if (!there) return;
      const button = place.current.querySelector("button");
      if (begun.current.focused) button.focus();
      if (begun.current.clicked) button.click();
    }, [there]);
    const want = () => setWanted(true);
    return h(window.React.Fragment, null,
      there ? null : closed(props, {
        onPointerEnter: want, onTouchStart: want,
        // The list may come between a button that is pressed and let go.
        onPointerDown: ({ pointerType, button }) => {
          if (pointerType === "mouse" && !button) begun.current.clicked = true;
        },
        onFocus: () => {
          begun.current.focused = true;
          want();
        },
        onBlur: () => void (begun.current.focused = false),
        onClick: () => {
          begun.current = { focused: true, clicked: true };
          want();
        },
      }),
      found && h("div", { ref: place, className: there ? "list-there" : "list-coming" }, h(found.Dropdown, props)));
  };
  Dropdown.dashPersistence = { persisted_props: ["value"], persistence_type: "local" };

  const { use: useLibrary } = window.spendscope.library("list", "dash_core_components", { Dropdown });
})();
