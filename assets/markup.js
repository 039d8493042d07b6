/* Elements that no callback changes, in one component (components/page/markup.py); a number is the place of a
   component of Dash among them. */
(() => {
  const own = (window.spendscope = window.spendscope || {});

  own.Markup = ({ tree, children }) => {
    const parts = [].concat(children);
    const drawn = (node) => {
      if (typeof node === "number") return parts[node];
      if (typeof node === "string") return node;
      const [name, props, within] = node;
      return own.h(name, props, ...within.map(drawn));
    };
    return own.h(window.React.Fragment, null, ...tree.map(drawn));
  };
})();
