// The stack: all layers, one plane above the other. Pressing a plane takes it into the lens.

import { withAlpha } from "./colours.js";
import { drawn, eachStrong, emptyGraph, resetCamera, tokenLook } from "./drawing.js";
import { stackLayout } from "./layout.js";
import { isPointing } from "./settings.js";

/** Edges are drawn up to this number; beyond it planes show nodes alone. */
const MOST_EDGES = 30_000;
const ACTIVE_SIZE = 0.9;

/** Nodes of the drawing that are no tokens. */
const NAME = -1;
const CORNER = -2;

const tokenKey = (layer, node) => `${layer}:${node}`;
const cornerKey = (layer, corner) => `corner:${layer}:${corner}`;

/** Return the drawing of all layers: { sigma, update }. */
export function createStack(stage, view, store) {
  const graph = emptyGraph();
  let drawnEdges = "";
  let placed = "";
  let marked = [];
  fill(graph, view.contents);
  place();
  const sigma = drawn(graph, stage, { node: nodeLook, edge: edgeLook });
  const at = (key) => graph.getNodeAttributes(key);
  sigma.on("enterNode", ({ node: key }) => {
    if (at(key).node >= 0) store.set({ hovered: at(key).node });
  });
  sigma.on("leaveNode", () => store.set({ hovered: -1 }));
  sigma.on("clickNode", ({ node: key }) => store.set({ layer: at(key).layer }));

  function place() {
    const nLayers = view.network.layers.length;
    const { width, height } = stage.getBoundingClientRect();
    const aspect = width && height ? width / height : 0.4;
    const wanted = `${nLayers} ${aspect.toFixed(1)}`;
    if (wanted === placed) return false;
    placed = wanted;
    const layout = stackLayout(view.contents, nLayers, aspect);
    graph.updateEachNodeAttributes((_, attributes) => ({
      ...attributes,
      ...placeIn(layout, attributes, nLayers),
    }));
    return true;
  }

  function addEdges() {
    const { network, state, contents } = view;
    const ways = state.direction === "both" ? 2 : 1;
    const nLayers = network.layers.length;
    const fits = nLayers * contents.nNodes * state.k * ways <= MOST_EDGES;
    const wanted = [network.name, state.k, state.direction, fits].join("|");
    if (wanted === drawnEdges) return;
    drawnEdges = wanted;
    graph.clearEdges();
    for (let layer = 0; layer < nLayers; layer += 1) {
      addFrame(graph, layer);
      if (!fits) continue;
      eachStrong(view, layer, (source, target, share) => {
        const [from, to] = [tokenKey(layer, source), tokenKey(layer, target)];
        graph.addEdge(from, to, { layer, isFrame: false, share });
      });
    }
  }

  function nodeLook({ layer, node, x, y }) {
    const { network, active } = view;
    if (layer >= network.layers.length) return { x, y, hidden: true };
    if (node < 0) return signLook(view, { layer, node, x, y });
    const look = { x, y, label: null, ...tokenLook(view, layer, node) };
    if (!active.includes(node)) return look;
    // The same patch stands out in every layer.
    return { ...look, color: view.ink.pin, size: ACTIVE_SIZE, zIndex: 3 };
  }

  function edgeLook({ layer, isFrame, share }) {
    const { state, tone } = view;
    if (!isFrame) return { color: tone(0.2 + 0.35 * Math.sqrt(share)), type: "thin", zIndex: 0 };
    const isSelected = layer === state.layer;
    return { color: tone(isSelected ? 1 : 0.25), size: isSelected ? 0.25 : 0.05, type: "line" };
  }

  /** Draw anew; where only the patch pointed at has changed, only its nodes are looked at. */
  function update(names) {
    const before = marked;
    marked = markedNow();
    if (isPointing(names)) {
      sigma.refresh({ partialGraph: { nodes: [...before, ...marked] }, skipIndexation: true });
      return;
    }
    const hasMoved = place();
    addEdges();
    sigma.refresh();
    if (hasMoved) resetCamera(sigma);
  }

  function markedNow() {
    const layers = view.network.layers.map((_, layer) => layer);
    return view.active.flatMap((node) => layers.map((layer) => tokenKey(layer, node)));
  }

  return { sigma, graph, update };
}

/** Add all nodes that any network of the page needs. */
function fill(graph, contents) {
  const nLayers = Math.max(...contents.networks.map((network) => network.layers.length));
  for (let layer = 0; layer < nLayers; layer += 1) {
    graph.addNode(`name:${layer}`, { layer, node: NAME, x: 0, y: 0 });
    for (let corner = 0; corner < 4; corner += 1) {
      graph.addNode(cornerKey(layer, corner), { layer, node: CORNER, corner, x: 0, y: 0 });
    }
    contents.names.forEach((_, node) => {
      graph.addNode(tokenKey(layer, node), { layer, node, x: 0, y: 0 });
    });
  }
}

function placeIn(layout, { layer, node, corner }, nLayers) {
  // Layers that this network does not have are hidden, and must not widen the drawing.
  if (layer >= nLayers) return layout.node(0, 0);
  if (node === NAME) return layout.name(layer);
  return node === CORNER ? layout.corner(layer, corner) : layout.node(layer, node);
}

/** Draw the edge of a plane. */
function addFrame(graph, layer) {
  for (let corner = 0; corner < 4; corner += 1) {
    const next = cornerKey(layer, (corner + 1) % 4);
    graph.addEdge(cornerKey(layer, corner), next, { layer, isFrame: true, share: 0 });
  }
}

/** Return the look of what is no token: nothing but its text. */
function signLook({ state, network, ink }, { layer, node, x, y }) {
  const name = network.layers[layer];
  const text = layer === state.layer ? `▸ ${name}` : name;
  const label = node === NAME ? text : null;
  const color = withAlpha(ink.text, 0);
  return { x, y, size: 0.01, color, label, forceLabel: label !== null, zIndex: 0 };
}
