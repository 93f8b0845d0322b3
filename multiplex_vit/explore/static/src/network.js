// The network: all layers in a stack, and the selected one in a lens.

import { INK, tonesOf } from "./colours.js";
import { keptNow } from "./kept.js";
import { createLens } from "./lens.js";
import { colouring, sizing } from "./looks.js";
import { isPointing, pinsOf } from "./settings.js";
import { createStack } from "./stack.js";

/** Return both drawings of the network: { stack, lens, update, looks, setPhotoColours }. */
export function createNetworkView(stages, contents, store, theme) {
  const view = { contents, photoColours: null };
  look(new Set());
  const stack = createStack(stages.stack, view, store);
  const lens = createLens(stages.lens, view, store);

  /** Work out how everything looks now. */
  function look(names) {
    const state = store.get();
    view.state = state;
    view.active = state.hovered >= 0 ? [state.hovered] : pinsOf(state);
    if (isPointing(names)) return;
    view.ink = INK[theme()];
    view.tone = tonesOf(view.ink.ground, view.ink.edge);
    view.network = contents.networks[state.network];
    view.kept = keptNow(contents, state);
    view.looks = {
      ...colouring(contents, state, view.photoColours),
      size: sizing(contents, state),
    };
  }

  function update(names) {
    look(names);
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
