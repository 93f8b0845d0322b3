// Edges of the drawing: the strongest of every node, those of the patch in focus, and frames.

import { overGround } from "./colours.js";
import { cornerKey, lensKey, stackKey } from "./nodes.js";

/** Edges are drawn in the stack up to this number, and else in the lens alone. */
const MOST_EDGES = 30_000;
const FADED = 0.16;
const TONES = 12;

export function stackFits({ contents, network, state }) {
  const ways = state.direction === "both" ? 2 : 1;
  return network.layers.length * contents.nNodes * state.k * ways <= MOST_EDGES;
}

/** Draw the frames of all planes. */
export function addFrames({ graph, network, layout }) {
  if (!layout.stack) return;
  const planes = ["lens", ...network.layers.map((_, layer) => layer)];
  for (const plane of planes) {
    for (let corner = 0; corner < 4; corner += 1) {
      const attributes = { kind: "frame", layer: plane, inLens: plane === "lens", share: 0 };
      graph.addEdge(cornerKey(plane, corner), cornerKey(plane, (corner + 1) % 4), attributes);
    }
  }
}

/** Draw the strongest edges of every node of a layer. */
export function addBase({ graph, contents, network, state }, layer, inLens) {
  const key = (node) => (inLens ? lensKey(node) : stackKey(layer, node));
  const drawn = new Set();
  const add = (source, target, share) => {
    // An edge may be among the strongest of both of its ends.
    const pair = source * contents.nNodes + target;
    if (drawn.has(pair)) return;
    drawn.add(pair);
    graph.addEdge(key(source), key(target), { kind: "base", layer, inLens, share });
  };
  for (let node = 0; node < contents.nNodes; node += 1) {
    for (const edge of sentBy(network, state, layer, node, state.k)) add(node, edge.node, edge.share);
    for (const edge of receivedBy(network, state, layer, node, state.k)) add(edge.node, node, edge.share);
  }
}

/** Draw all edges that the page holds of a node in the lens, and return their keys. */
export function addFocus({ graph, network, state, layout }, node) {
  const { layer } = state;
  const added = [];
  const add = (source, target, kind, share) => {
    added.push(graph.addEdge(source, target, { kind, layer, inLens: true, share }));
  };
  for (const edge of sentBy(network, state, layer, node)) {
    add(lensKey(node), lensKey(edge.node), "sent", edge.share);
  }
  for (const edge of receivedBy(network, state, layer, node)) {
    add(lensKey(edge.node), lensKey(node), "received", edge.share);
  }
  for (let each = 0; layout.stack && each < network.layers.length; each += 1) {
    if (layout.stack.isNext(each)) add(stackKey(each, node), stackKey(each + 1, node), "same", 1);
  }
  return added;
}

/** Return the edges that a node sends, if those are wanted. */
export function sentBy(network, state, layer, node, most) {
  return state.direction === "received" ? [] : network.sent.of(layer, node, most);
}

/** Return the edges that a node receives, if those are wanted. */
export function receivedBy(network, state, layer, node, most) {
  return state.direction === "sent" ? [] : network.received.of(layer, node, most);
}

/** Return how an edge looks now. */
export function edgeLook({ state, ink, active, layout }, { kind, layer, inLens, share }) {
  const unit = inLens ? layout.spacing : 1;
  if (kind === "sent" || kind === "received") {
    const size = unit * (0.05 + 0.1 * Math.sqrt(share));
    return { color: ink[kind], size, type: "focus", zIndex: 3 };
  }
  if (kind === "same") return line(ink, 0.6, 0.06, 2);
  if (kind === "frame") return line(ink, layer === state.layer ? 0.9 : 0.25, 0.05, 0);
  const strength = inLens ? 0.25 + 0.6 * Math.sqrt(share) : 0.2 + 0.35 * Math.sqrt(share);
  const faded = active.length && inLens ? FADED : strength;
  return line(ink, faded, unit * (0.03 + 0.08 * share), 0);
}

function line(ink, strength, size, zIndex) {
  // Few colours, as each is parsed once.
  const tone = Math.max(1, Math.round(strength * TONES)) / TONES;
  return { color: overGround(ink.ground, ink.edge, tone), size, type: "line", zIndex };
}
