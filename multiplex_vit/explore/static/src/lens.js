// The lens: the selected layer, large, with all edges of the patch that is pointed at.

import { drawn, eachStrong, emptyGraph, receivedBy, resetCamera, sentBy, tokenLook } from "./drawing.js";
import { forceLayout, photoLayout } from "./layout.js";
import { pinsAfter } from "./settings.js";

const ACTIVE_SIZE = 0.62;
const FADED = 0.16;

/** Return the drawing of the selected layer: { sigma, update }. */
export function createLens(stage, view, store) {
  const { contents } = view;
  const graph = emptyGraph();
  const layouts = new Map();
  let focused = [];
  let drawnEdges = "";
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
    if (wanted !== drawnEdges) {
      drawnEdges = wanted;
      focused = [];
      graph.clearEdges();
      eachStrong(view, layer, (source, target, share) => {
        graph.addEdge(source, target, { kind: "base", share });
      });
    }
    for (const edge of focused) graph.dropEdge(edge);
    focused = view.active.flatMap((node) => [
      ...sentBy(view, layer, node).map((edge) => focus(node, edge.node, "sent", edge.share)),
      ...receivedBy(view, layer, node).map((edge) => focus(edge.node, node, "received", edge.share)),
    ]);
  }

  function focus(source, target, kind, share) {
    return graph.addEdge(source, target, { kind, share });
  }

  function nodeLook({ node, x, y }) {
    const look = { x, y, label: null, ...tokenLook(view, view.state.layer, node) };
    if (!view.active.includes(node)) return look;
    return { ...look, color: view.ink.pin, size: ACTIVE_SIZE, zIndex: 3 };
  }

  function edgeLook({ kind, share }) {
    const { ink, active, tone } = view;
    if (kind !== "base") {
      return { color: ink[kind], size: 0.05 + 0.1 * Math.sqrt(share), type: "focus", zIndex: 3 };
    }
    const strength = active.length ? FADED : 0.25 + 0.6 * Math.sqrt(share);
    return { color: tone(strength), size: 0.03 + 0.08 * share, type: "line", zIndex: 0 };
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
