// Nodes of the drawing: tokens in the lens and in the stack, and the names and corners of planes.

import { withAlpha } from "./colours.js";

/** Nodes of the drawing that are no tokens. */
export const NAME = -1;
export const CORNER = -2;

const PINNED = 0.62;
const PINNED_IN_STACK = 0.5;

export const lensKey = (node) => `lens:${node}`;
export const stackKey = (layer, node) => `${layer}:${node}`;
export const cornerKey = (plane, corner) => `corner:${plane}:${corner}`;

/** Add all nodes that any network of the page needs. */
export function fill(graph, contents) {
  const nLayers = Math.max(...contents.networks.map((network) => network.layers.length));
  addSigns(graph, { inLens: true, layer: -1 }, "lens");
  contents.names.forEach((_, node) => {
    graph.addNode(lensKey(node), { inLens: true, layer: -1, node, x: 0, y: 0 });
  });
  for (let layer = 0; layer < nLayers; layer += 1) {
    addSigns(graph, { inLens: false, layer }, layer);
    contents.names.forEach((_, node) => {
      graph.addNode(stackKey(layer, node), { inLens: false, layer, node, x: 0, y: 0 });
    });
  }
}

/** Add the name of a plane, and the four corners between which it is drawn. */
function addSigns(graph, attributes, plane) {
  graph.addNode(`name:${plane}`, { ...attributes, node: NAME, x: 0, y: 0 });
  for (let corner = 0; corner < 4; corner += 1) {
    graph.addNode(cornerKey(plane, corner), { ...attributes, node: CORNER, corner, x: 0, y: 0 });
  }
}

/** Put all nodes where the layout wants them. */
export function place({ graph, layout }) {
  graph.updateEachNodeAttributes((_, attributes) => {
    const found = attributes.inLens ? lensPlace(layout, attributes) : stackPlace(layout, attributes);
    // What has no place is hidden, and must not widen the drawing.
    return { ...attributes, ...(found ?? layout.lens(0)), isPlaced: Boolean(found) };
  });
}

function lensPlace(layout, { node, corner }) {
  if (node >= 0) return layout.lens(node);
  const corners = layout.stack ? layout.lensCorners() : null;
  if (!corners) return null;
  return node === CORNER ? corners[corner] : corners[0];
}

function stackPlace({ stack }, { layer, node, corner }) {
  if (!stack) return null;
  if (node === NAME) return stack.name(layer);
  return node === CORNER ? stack.corners(layer)[corner] : stack.place(layer, node);
}

/** Return how a node looks now. */
export function nodeLook(view, attributes) {
  const { state, network, ink } = view;
  const { x, y, node, inLens, isPlaced } = attributes;
  const layer = inLens ? state.layer : attributes.layer;
  const hidden = !isPlaced || layer >= network.layers.length;
  if (node < 0) return signLook(view, { x, y, layer, node, inLens, hidden });
  const unit = inLens ? view.layout.spacing : 1;
  const look = {
    x,
    y,
    size: unit * view.looks.size(layer, node),
    color: view.looks.colour(layer, node),
    zIndex: 1,
    hidden,
    label: null,
  };
  if (view.kept && !view.kept(node)) {
    Object.assign(look, { color: ink.faint, size: 0.7 * look.size, zIndex: 0 });
  }
  if (view.active.includes(node)) {
    // The same patch stands out in every layer.
    const color = inLens ? ink.pin : look.color;
    Object.assign(look, { color, size: unit * (inLens ? PINNED : PINNED_IN_STACK), zIndex: 3 });
  }
  return look;
}

/** Return the look of what is no token: nothing but its text. */
function signLook({ state, network, ink }, { x, y, layer, node, inLens, hidden }) {
  let label = null;
  if (node === NAME && !hidden) {
    const name = network.layers[layer];
    const mark = !inLens && layer === state.layer ? "▸ " : "";
    label = inLens ? `${name}, large` : `${mark}${name}`;
  }
  const color = withAlpha(ink.text, 0);
  return { x, y, size: 0.01, color, label, forceLabel: label !== null, hidden, zIndex: 0 };
}
