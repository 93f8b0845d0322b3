// The state of a page: one object of settings; whoever shows them is told when they change.

/** Return a store of settings that calls its listeners at most once a frame. */
export function createStore(settings) {
  let state = { ...settings };
  const listeners = [];
  let changed = new Set();
  let waiting = false;

  function tell() {
    waiting = false;
    const names = changed;
    changed = new Set();
    for (const listener of listeners) listener(state, names);
  }

  return {
    get: () => state,
    subscribe: (listener) => listeners.push(listener),
    set(changes) {
      const news = Object.entries(changes).filter(([name, value]) => state[name] !== value);
      if (!news.length) return;
      state = { ...state, ...Object.fromEntries(news) };
      for (const [name] of news) changed.add(name);
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(tell);
    },
  };
}
