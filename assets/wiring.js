/* What a page is held together by, and nothing is seen of but links (components/wiring.py declares it). */
(() => {
  const own = (window.spendscope = window.spendscope || {});
  const MOVED = "_dashprivate_pushstate"; // as Dash calls it

  const kept = (id) => {
    try {
      return JSON.parse(window.localStorage.getItem(id));
    } catch {
      return null;
    }
  };

  /* A value of `local` is that of all windows, and of the next visit. */
  own.Store = ({ id, data, storage_type: kind, setProps }) => {
    const { useEffect, useLayoutEffect } = window.React;
    const local = kind === "local";
    useLayoutEffect(() => {
      if (!local) return undefined;
      const told = ({ key, newValue }) => key === id && setProps({ data: JSON.parse(newValue) });
      window.addEventListener("storage", told);
      if (kept(id) !== null) setProps({ data: kept(id) });
      return () => window.removeEventListener("storage", told);
    }, []);
    useEffect(() => {
      if (local && data !== undefined) window.localStorage.setItem(id, JSON.stringify(data));
    }, [data]);
    return null;
  };

  /* Goes where the address goes, and takes it along. */
  own.Location = ({ pathname, search, setProps }) => {
    const { useEffect, useRef } = window.React;
    const told = useRef(null);
    useEffect(() => {
      const moved = () => {
        const now = { pathname: window.location.pathname, search: window.location.search };
        const changed = Object.entries(now).filter(([name, value]) => told.current[name] !== value);
        if (changed.length) setProps(Object.fromEntries(changed));
      };
      ["popstate", MOVED].forEach((name) => window.addEventListener(name, moved));
      return () => ["popstate", MOVED].forEach((name) => window.removeEventListener(name, moved));
    }, []);
    useEffect(() => {
      const [first, { location, history }] = [told.current === null, window];
      told.current = { pathname, search };
      if (first || (location.pathname === pathname && location.search === (search || ""))) return;
      history.pushState({}, "", pathname + (search || "") + location.hash);
    }, [pathname, search]);
    return null;
  };

  own.Link = ({ id, children, href, className, title }) => own.h("a", {
    id, className, title, href: window.dash_clientside.clean_url(href || ""),
    onClick: (event) => {
      if (event.metaKey || event.shiftKey || event.altKey || event.ctrlKey) return;
      event.preventDefault();
      window.history.pushState({}, "", event.currentTarget.href);
      window.dispatchEvent(new CustomEvent(MOVED));
      window.scrollTo(0, 0);
    },
  }, children);

  own.Confirmation = ({ displayed, message, submit_n_clicks: yes, setProps }) => {
    window.React.useEffect(() => {
      if (!displayed) return;
      const ask = () => setProps({ displayed: false, ...(window.confirm(message) ? { submit_n_clicks: (yes || 0) + 1 } : {}) });
      Promise.resolve().then(ask);
    }, [displayed]);
    return null;
  };
})();
