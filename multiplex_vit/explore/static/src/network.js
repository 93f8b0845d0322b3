// The network: all layers in a stack, and the selected one in a lens.

import { INK, tonesOf } from "./colours.js";
import { keptNow } from "./kept.js";
import { createLens } from "./lens.js";
import { colouring, sizing } from "./looks.js";
import { pinsOf } from "./settings.js";
import { createStack } from "./stack.js";

/** Return both drawings of the network: { stack, lens, update, looks, setPhotoColours }. */
export function createNetworkView(stages, contents, store, theme) {
  const view = { contents, photoColours: null };
  look();
  const stack = createStack(stages.stack, view, store);
  const lens = createLens(stages.lens, view, store);

  /** Work out how everything looks now. */
  function look() {
    const state = store.get();
    view.state = state;
    view.ink = INK[theme()];
    view.tone = tonesOf(view.ink.ground, view.ink.edge);
    view.network = contents.networks[state.network];
    view.active = state.hovered >= 0 ? [state.hovered] : pinsOf(state);
    view.kept = keptNow(contents, state);
    view.looks = {
      ...colouring(contents, state, view.photoColours),
      size: sizing(contents, state),
    };
  }

  function update(names) {
    look();
    stack.sigma.setSetting("labelColor", { color: view.ink.text });
    stack.update(names);
    lens.update();
  }

  return {
    stack,
    lens,
    update,
    looks: () => view.looks,
    setPhotoColours(colours) {
      view.photoColours = colours;
    },
  };
}
