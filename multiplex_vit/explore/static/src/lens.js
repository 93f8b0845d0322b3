// The lens: the selected layer, large, with all edges of the patch that is pointed at.

import { drawn, eachStrong, emptyGraph, receivedBy, resetCamera, sentBy, tokenLook } from "./drawing.js";
import { forceLayout, photoLayout } from "./layout.js";
import { pinsAfter } from "./settings.js";

const ACTIVE_SIZE = 0.62;
const FADED = 0.16;
/** Edges of patches that were pointed at, after which the lens is filled anew. */
const MOST_SHOWN = 3_000;
/** Edges of a smaller share of the greatest weight are as thin as lines can be. */
const THIN = 0.2;

/** Return the drawing of the selected layer: { sigma, update }. */
export function createLens(stage, view, store) {
  const { contents } = view;
  const graph = emptyGraph();
  const layouts = new Map();
  let focused = new Set();
  let drawnEdges = "";
  let nBase = 0;
  let placed = null;
  contents.names.forEach((_, node) => graph.addNode(node, { node, x: 0, y: 0 }));
  place();
  const sigma = drawn(graph, stage, { node: nodeLook, edge: edgeLook });
  sigma.on("enterNode", ({ node }) => store.set({ hovered: Number(node) }));
  sigma.on("leaveNode", () => store.set({ hovered: -1 }));
  sigma.on("clickNode", ({ node }) => store.set({ pins: pinsAfter(store.get(), Number(node)) }));

  function place() {
    const layout = layoutOf(view, layouts);
    if (layout === placed) return false;
    placed = layout;
    graph.updateEachNodeAttributes((_, { node }) => ({ node, ...layout(node) }));
    return true;
  }

  function addEdges() {
    const { state, network } = view;
    const { layer } = state;
    const wanted = [network.name, layer, state.k, state.direction].join("|");
    if (wanted !== drawnEdges || graph.size > nBase + MOST_SHOWN) {
      drawnEdges = wanted;
      graph.clearEdges();
      eachStrong(view, layer, (source, target, share) => {
        graph.addEdge(source, target, { kind: "base", share });
      });
      nBase = graph.size;
    }
    focused = new Set();
    for (const node of view.active) {
      for (const edge of sentBy(view, layer, node)) focus(node, edge.node, "sent", edge.share);
      for (const edge of receivedBy(view, layer, node)) {
        focus(edge.node, node, "received", edge.share);
      }
    }
  }

  /** Show an edge. It stays, hidden, as taking one out makes sigma.js go through all others. */
  function focus(source, target, kind, share) {
    const key = `${kind} ${source} ${target}`;
    focused.add(key);
    if (!graph.hasEdge(key)) graph.addEdgeWithKey(key, source, target, { kind, key, share });
  }

  function nodeLook({ node, x, y }) {
    const look = { x, y, label: null, ...tokenLook(view, view.state.layer, node) };
    if (!view.active.includes(node)) return look;
    return { ...look, color: view.ink.pin, size: ACTIVE_SIZE, zIndex: 3 };
  }

  function edgeLook({ kind, key, share }) {
    const { ink, active, tone } = view;
    if (kind !== "base") {
      if (!focused.has(key)) return { type: "focus", hidden: true };
      return { color: ink[kind], size: 0.05 + 0.1 * Math.sqrt(share), type: "focus", zIndex: 3 };
    }
    const color = tone(active.length ? FADED : 0.25 + 0.6 * Math.sqrt(share));
    const type = share < THIN ? "thin" : "line";
    return { color, size: 0.03 + 0.08 * share, type, zIndex: 0 };
  }

  function update() {
    const hasMoved = place();
    addEdges();
    sigma.refresh();
    if (hasMoved) resetCamera(sigma);
  }

  return { sigma, graph, update };
}

/** Return the layout that is chosen; each is worked out once. */
function layoutOf({ contents, network, state }, layouts) {
  const { layout, layer, k } = state;
  const key = layout === "force" ? `${state.network} ${layer} ${k}` : layout;
  if (!layouts.has(key)) {
    const isForce = layout === "force";
    layouts.set(key, isForce ? forceLayout(contents, network, layer, k) : photoLayout(contents));
  }
  return layouts.get(key);
}
