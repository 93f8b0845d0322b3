// What the two drawings of the network share: how sigma.js draws, and which edges there are.

import Graph from "graphology";
import Sigma from "sigma";
import { EdgeArrowProgram, EdgeLineProgram, NodePointProgram } from "sigma/rendering";

/** Return an empty graph as both drawings have it. */
export function emptyGraph() {
  return new Graph({ multi: true, type: "directed", allowSelfLoops: false });
}

/** Return a drawing of a graph inside an element. */
export function drawn(graph, stage, { node, edge }) {
  return new Sigma(graph, stage, {
    itemSizesReference: "positions",
    zoomToSizeRatioFunction: (ratio) => ratio,
    minEdgeThickness: 0.8,
    stagePadding: 20,
    zIndex: true,
    // Programs are drawn one after the other: what is in focus comes last. Points and thin lines
    // are the quickest where a processor draws in place of a graphics card.
    edgeProgramClasses: { thin: EdgeLineProgram, focus: EdgeArrowProgram },
    nodeProgramClasses: { point: NodePointProgram },
    defaultNodeType: "point",
    minCameraRatio: 0.05,
    maxCameraRatio: 3,
    labelSize: 13,
    labelFont: "system-ui, sans-serif",
    // Only names of layers are labels, and these are always there.
    labelRenderedSizeThreshold: Infinity,
    defaultDrawNodeHover: () => {},
    allowInvalidContainer: true,
    nodeReducer: (_, attributes) => node(attributes),
    edgeReducer: (_, attributes) => edge(attributes),
  });
}

export function resetCamera(sigma) {
  sigma.getCamera().setState({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
}

/** Return the edges that a node sends, if those are wanted. */
export function sentBy({ network, state }, layer, node, most) {
  return state.direction === "received" ? [] : network.sent.of(layer, node, most);
}

/** Return the edges that a node receives, if those are wanted. */
export function receivedBy({ network, state }, layer, node, most) {
  return state.direction === "sent" ? [] : network.received.of(layer, node, most);
}

/** Call add(source, target, share) for the strongest edges of every node of a layer. */
export function eachStrong(view, layer, add) {
  const { contents, state } = view;
  const drawnPairs = new Set();
  const once = (source, target, share) => {
    // An edge may be among the strongest of both of its ends.
    const pair = source * contents.nNodes + target;
    if (!drawnPairs.has(pair)) add(source, target, share);
    drawnPairs.add(pair);
  };
  for (let node = 0; node < contents.nNodes; node += 1) {
    for (const edge of sentBy(view, layer, node, state.k)) once(node, edge.node, edge.share);
    for (const edge of receivedBy(view, layer, node, state.k)) once(edge.node, node, edge.share);
  }
}

/** Return the colour and size of a token, before what is special to a drawing. */
export function tokenLook({ looks, kept, ink }, layer, node) {
  const color = looks.colour(layer, node);
  const size = looks.size(layer, node);
  if (kept && !kept(node)) return { color: ink.faint, size: 0.7 * size, zIndex: 0 };
  return { color, size, zIndex: 1 };
}
