/* A library of components whose code comes when it is wanted: `ours` are drawn in the place of its own, and find it by
   `use`; `meanwhile` stands for what it has besides, until it is there. The page's head says where it is, in
   `<meta name="NAME-code">`. */
(window.spendscope = window.spendscope || {}).library = (name, namespace, ours, meanwhile = {}) => {
  const { useEffect, useState } = window.React;
  let [theirs, library, coming, seen] = [null, null, null, { ...meanwhile, ...ours }];
  const waiting = new Set();
  // Dash looks here whenever it draws, while the files come too, and is to find ours: theirs in their place would be other
  // components, without what a reader has begun.
  Object.defineProperty(window, namespace, { get: () => seen, set: (made) => void (theirs = made) });

  const add = (element, more) => new Promise((done, failed) => {
    document.head.append(Object.assign(document.createElement(element), { ...more, onload: () => done(), onerror: failed }));
  });
  const load = () => {
    if (coming) return coming;
    const { content, dataset } = document.querySelector(`meta[name='${name}-code']`);
    // Browsers complain of what is preloaded and not used at once, as by a machine that is busy.
    if (dataset.more) add("link", { rel: "prefetch", as: "script", href: dataset.more }).catch(() => {});
    coming = Promise.all(content.split(" ").map((src) => add("script", { src, async: false }))).then(() => {
      library = theirs;
      seen = { ...library, ...ours };
      waiting.forEach((found) => found(library));
      return library;
    });
    coming.catch(() => void (coming = null));
    return coming;
  };
  const use = (wanted) => {
    const [found, setFound] = useState(library);
    useEffect(() => {
      waiting.add(setFound);
      return () => void waiting.delete(setFound);
    }, []);
    useEffect(() => {
      if (wanted && !found) load().then(setFound, () => {});
    }, [wanted]);
    return found;
  };
  return { load, use };
};
