// The controls of the network: sliders and choices, each of which changes one setting.

import { choice, element, slider } from "./dom.js";
import { heatLegend } from "./legend.js";
import { DIRECTIONS, LAYOUTS, OVERLAYS, changesOf, colourChoices, sizeChoices } from "./settings.js";
import { verb } from "./words.js";

/** Return the controls: { node, update }. */
export function networkControls(contents, store) {
  const { networks, classes } = contents;
  const layer = slider("Layer", { min: 0, max: 1, step: 1, move: (value) => store.set({ layer: value }) });
  const k = slider("Lines", { min: 1, max: 1, step: 1, move: (value) => store.set({ k: value }) });
  const network = choice("Network", (name) => store.set(changesOf(contents, store.get(), { network: name })));
  const layout = choice("Layout", (value) => store.set({ layout: value }));
  const direction = choice("Direction", (value) => store.set({ direction: value }));
  const colour = choice("Colour", (value) => store.set({ colour: value }));
  const size = choice("Size", (value) => store.set({ size: value }));
  const cls = choice("Class", (value) => store.set({ cls: Number(value) }));
  network.offer(Object.fromEntries(networks.map(({ name }) => [name, name])));
  layout.offer(LAYOUTS);
  const fields = [layer, k, network, layout, direction, colour, size];
  if (classes) {
    fields.push(cls);
    cls.offer(Object.fromEntries(classes.names.map((name, place) => [String(place), name])));
  }

  function update(state) {
    const now = networks[state.network];
    const last = now.layers.length - 1;
    layer.set(state.layer, `${now.layers[state.layer]} (${state.layer + 1} of ${last + 1})`, last);
    k.set(state.k, `${state.k} a patch`, now.k);
    network.set(now.name);
    layout.set(state.layout);
    direction.offer({
      both: DIRECTIONS.both,
      sent: `a patch ${verb(now, "sent")} …`,
      received: `a patch ${verb(now, "received")} …`,
    });
    direction.set(state.direction);
    colour.offer(colourChoices(contents, state));
    colour.set(state.colour);
    size.offer(sizeChoices(contents, state));
    size.set(state.size);
    cls.set(String(state.cls));
  }

  const node = element("div", { class: "mvx-controls" }, fields.map((field) => field.node));
  return { node, update };
}

/** Return the choice of what lies over the photo. */
export function photoControls(contents, store) {
  const overlay = choice("Over the photo", (value) => store.set({ overlay: value }));
  const { heatmap, ...others } = OVERLAYS;
  overlay.offer(contents.classes ? { heatmap, ...others } : others);
  const scale = element("div", { class: "mvx-legend" });
  const node = element("div", {}, [overlay.node, scale]);
  return {
    node,
    update(state) {
      overlay.set(state.overlay);
      scale.hidden = state.overlay !== "heatmap";
      if (!scale.hidden) scale.replaceChildren(...heatLegend(contents, state));
    },
  };
}
