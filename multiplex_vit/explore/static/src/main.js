// The two ways in: a page holds its contents as JSON, and a widget gets them from Python.

import { followAddress } from "./address.js";
import { mount } from "./mount.js";
import { changesOf, wordsOf } from "./settings.js";

const holder = document.getElementById("explorer-contents");
if (holder) {
  const root = document.getElementById("explorer");
  const { contents, store, network, photo } = mount(root, JSON.parse(holder.textContent));
  followAddress(contents, store);
  // For whoever opens the console, and for tests.
  root.explorer = { contents, store, network, photo };
}

/** Show the widget; its `selection` follows the settings, and the settings follow it. */
function render({ model, el }) {
  const root = document.createElement("div");
  el.append(root);
  const { contents, store } = mount(root, model.get("contents"));
  store.set(changesOf(contents, store.get(), model.get("selection")));
  store.subscribe((state) => {
    const words = wordsOf(contents, state);
    if (JSON.stringify(words) === JSON.stringify(model.get("selection"))) return;
    model.set("selection", words);
    model.save_changes();
  });
  model.on("change:selection", () => {
    store.set(changesOf(contents, store.get(), model.get("selection")));
  });
}

export default { render };
