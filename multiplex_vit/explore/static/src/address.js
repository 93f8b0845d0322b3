// The settings in the part of the address after "#", so that a view can be sent as a link.

import { changesOf, defaultSettings, wordsOf } from "./settings.js";

/** Let the address follow the settings, and the settings the address. */
export function followAddress(contents, store) {
  const defaults = wordsOf(contents, defaultSettings(contents));

  function read() {
    const words = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    store.set(changesOf(contents, store.get(), words));
  }

  function write() {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(wordsOf(contents, store.get()))) {
      if (String(value) !== String(defaults[name])) words.set(name, String(value));
    }
    const hash = `#${words}`;
    if (hash !== location.hash && (location.hash || hash !== "#")) {
      history.replaceState(null, "", hash);
    }
  }

  read();
  window.addEventListener("hashchange", read);
  store.subscribe(write);
}
