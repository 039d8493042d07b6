/* Settings → Data → Connect: one card open at a time, keys made on the spot, lines copied, and the
   first event waited for: politely, and only while its card is open and the page is seen. */
(() => {
  const [FIRST, LONGEST, GROWTH] = [2000, 15000, 1.3]; // ms between two questions
  const REMEMBERED = "spendscope-connect";
  const MAKE_FIRST = "Make a key: then this line waits for the first event.";
  const part = (card, name) => card.querySelector(`.connect-${name}`);

  /* What is known of a card in this browser: the number of its key, or after which import. */
  const remembered = (card) => {
    const kept = sessionStorage.getItem(`${REMEMBERED}:${card.dataset.connection}`);
    return kept ? JSON.parse(kept) : {};
  };
  const remember = (card, more) => sessionStorage.setItem(
    `${REMEMBERED}:${card.dataset.connection}`, JSON.stringify({ ...remembered(card), ...more }));

  const ask = async (path, body) => {
    const cookie = document.cookie.split("; ").find((one) => one.startsWith("_csrf_token="));
    const token = cookie ? decodeURIComponent(cookie.slice("_csrf_token=".length)) : "";
    const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
    const answer = await fetch(`/api/v1/${path}`, body ? { method: "POST", headers, body: JSON.stringify(body) } : {});
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error ? told.error.message : "The server did not answer.");
    return told;
  };

  const say = (card, { state, text, more }) => {
    const line = part(card, "heard");
    if (line.dataset.state === state && line.dataset.text === text) return;
    Object.assign(line.dataset, { state, text });
    line.textContent = text;
    for (const one of more || []) {
      line.append(Object.assign(document.createElement("span"), { textContent: one }));
    }
  };

  const waits = (card) => card.isConnected && card.open;
  const later = (wait) => new Promise((wake) => setTimeout(wake, wait));
  const seen = () => document.hidden && new Promise((wake) => {
    document.addEventListener("visibilitychange", wake, { once: true });
  });

  const question = (card) => {
    const { key, after } = remembered(card);
    const query = key !== undefined ? `?key=${key}` : after !== undefined ? `?after=${after}` : "";
    return `connections/${card.dataset.connection}${query}`;
  };

  /* Until something came; who closes the card, or leaves the page, is not asked for any more. */
  const follow = async (card) => {
    const turn = (card.waiting = {});
    for (let wait = FIRST; waits(card) && card.waiting === turn; wait = Math.min(wait * GROWTH, LONGEST)) {
      if (card.dataset.source && remembered(card).key === undefined) {
        return say(card, { state: "idle", text: MAKE_FIRST });
      }
      try {
        const told = await ask(question(card));
        if (card.waiting !== turn) return;
        say(card, told);
        if (!card.dataset.source) remember(card, { after: told.after });
        if (told.state === "received") return;
      } catch (error) {
        say(card, { state: "nothing", text: error.message });
      }
      await later(wait);
      await seen();
    }
  };

  /* A name that no key has yet, revoked ones included. */
  const freeName = async (title, user) => {
    const { keys } = await ask("ingest-keys");
    const taken = new Set(keys.map((one) => one.name));
    const name = user ? `${title} (${user})`.slice(0, 90) : title;
    let free = name;
    for (let n = 2; taken.has(free); n += 1) free = `${name} ${n}`;
    return free;
  };

  const makeKey = async (card) => {
    const [form, said] = [part(card, "key"), part(card, "said")];
    const [user, project] = ["user", "project"].map((name) => form.querySelector(`[name=${name}]`).value.trim());
    const { title, source } = card.dataset;
    try {
      const made = await ask("ingest-keys", { name: await freeName(title, user), source, user, project });
      card.querySelectorAll(".connect-secret").forEach((one) => { one.textContent = made.key; });
      said.textContent = `${made.name}: ${said.dataset.once}`;
      remember(card, { key: made.id });
      follow(card);
    } catch (error) {
      said.textContent = error.message;
    }
  };

  const copy = async (button) => {
    await window.spendscope.copy(button.parentElement.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };

  document.addEventListener("toggle", ({ target }) => {
    if (!target.matches || !target.matches(".connection[open]")) return;
    document.querySelectorAll(".connection[open]").forEach((one) => { one.open = one === target; });
    target.scrollIntoView({ block: "nearest" });
    follow(target);
  }, true);
  document.addEventListener("click", ({ target }) => {
    if (!target.matches) return;
    if (target.matches(".connect-copy, .copy-text")) copy(target);
    if (target.matches(".connect-make")) makeKey(target.closest(".connection"));
  });
})();
