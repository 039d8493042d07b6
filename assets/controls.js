/* Lines to type in and lists to choose from (components/controls.py declares them). */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const h = (...parts) => own.h(...parts);
  const classed = (name, more) => (more ? `${name} ${more}` : name);

  /* What is typed is told at each key, or once no more came for a while; Return and leaving the line do not wait. */
  own.Input = ({ id, value, n_submit: submits, debounce, setProps, className, ...rest }) => {
    const { useEffect, useRef } = window.React;
    const [line, told, waiting] = [useRef(null), useRef(value), useRef(0)];
    useEffect(() => {
      told.current = value;
      if (line.current.value !== (value ?? "")) line.current.value = value ?? "";
    }, [value]);
    useEffect(() => () => clearTimeout(waiting.current), []);
    const tell = (more = {}) => {
      clearTimeout(waiting.current);
      const typed = line.current.value;
      if (typed !== (told.current ?? "")) more.value = told.current = typed;
      if (Object.keys(more).length) setProps(more);
    };
    const wait = () => {
      clearTimeout(waiting.current);
      waiting.current = setTimeout(tell, debounce);
    };
    return h("input", {
      type: "text", ...rest, id, ref: line, className: classed("form-control", className), defaultValue: value ?? "",
      onInput: () => (debounce ? wait() : tell()), onBlur: () => tell(),
      onKeyDown: ({ key }) => key === "Enter" && tell({ n_submit: (submits || 0) + 1 }),
    });
  };

  own.Select = ({ id, value, options, name, className, setProps }) => {
    const offered = (options || []).map((one) => h("option", { key: one.value, value: one.value }, one.label));
    const known = (options || []).some((one) => String(one.value) === String(value ?? ""));
    return h("select", {
      id, name, className: classed("form-select", className), value: value ?? "",
      onChange: ({ target }) => setProps({ value: target.value }),
    }, known ? null : h("option", { key: "none", value: value ?? "", hidden: true }), offered);
  };
})();
