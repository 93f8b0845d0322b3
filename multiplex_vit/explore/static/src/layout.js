// Layout: where nodes stand. The force layout is ForceAtlas2 of graphology.

import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";

// A plane of the stack is seen from above: rows lean to the right and are closer together.
const LEAN = 0.42;
const FLAT = 0.5;
const GAP = 0.14;
const MARGIN = 0.9;
const ROUNDS = 250;
/** How many times wider than high planes may be drawn, so that they fill the stack's place. */
const MOST_WIDE = 1.6;

/** Return where a node stands in the photo, in patches from its middle. */
function photoPlace({ rows, cols, nPrefix }, node) {
  const patch = node - nPrefix;
  // Prefix tokens stand in a row above the photo.
  if (patch < 0) return { right: node * 1.5 - cols / 2, down: -rows / 2 - 1.5 };
  return {
    right: (patch % cols) - (cols - 1) / 2,
    down: Math.floor(patch / cols) - (rows - 1) / 2,
  };
}

/** Return the four corners of the photo, one after the other. */
function photoCorners({ rows, cols }) {
  const right = (cols - 1) / 2 + MARGIN;
  const down = (rows - 1) / 2 + MARGIN;
  return [
    { right: -right, down: -down },
    { right, down: -down },
    { right, down },
    { right: -right, down },
  ];
}

// --- all layers ----------------------------------------------------------------------------------

function columnsFor(nLayers, aspect, { width, height, step }) {
  let best = 1;
  let least = Infinity;
  for (let columns = 1; columns <= nLayers; columns += 1) {
    const found = (columns * width) / (height + (Math.ceil(nLayers / columns) - 1) * step);
    const distance = Math.abs(Math.log(found / aspect));
    if (distance < least) [best, least] = [columns, distance];
  }
  return best;
}

/** Return where nodes, names and corners stand if all layers are stacked. */
export function stackLayout(contents, nLayers, aspect) {
  const { rows, cols } = contents;
  const width = cols + LEAN * rows + 4;
  const height = FLAT * rows;
  const step = height * (1 + GAP) + 0.7;
  const columns = columnsFor(nLayers, aspect, { width, height, step });
  const perColumn = Math.ceil(nLayers / columns);
  const tall = height + (perColumn - 1) * step;
  const stretch = Math.min(MOST_WIDE, Math.max(1, (tall * aspect) / (columns * width)));
  // The first layer is at the bottom left, as in drawings of multiplex networks.
  const placed = (layer, { right, down }) => ({
    x: stretch * (right - LEAN * down + Math.floor(layer / perColumn) * width),
    y: (layer % perColumn) * step - FLAT * down,
  });
  const places = contents.names.map((_, node) => photoPlace(contents, node));
  const corners = photoCorners(contents);
  // Beside the upper left corner, from which the plane leans away.
  const name = { right: -cols / 2 - LEAN * rows - 1, down: -rows / 2 + 1 };
  return {
    node: (layer, node) => placed(layer, places[node]),
    corner: (layer, corner) => placed(layer, corners[corner]),
    name: (layer) => placed(layer, name),
  };
}

// --- one layer -----------------------------------------------------------------------------------

/** Return node => place for one layer whose nodes stand as in the photo. */
export function photoLayout(contents) {
  return (node) => {
    const { right, down } = photoPlace(contents, node);
    return { x: right, y: -down };
  };
}

/** Return node => place for one layer whose strongest edges pull its nodes together. */
export function forceLayout(contents, network, layer, k) {
  const graph = new Graph({ type: "undirected" });
  const start = photoLayout(contents);
  for (let node = 0; node < contents.nNodes; node += 1) graph.addNode(node, start(node));
  for (let node = 0; node < contents.nNodes; node += 1) {
    for (const edge of network.sent.of(layer, node, k)) {
      graph.updateEdge(node, edge.node, (attributes) => ({
        weight: (attributes.weight ?? 0) + edge.share,
      }));
    }
  }
  const settings = { ...forceAtlas2.inferSettings(graph), linLogMode: true, gravity: 0.6 };
  const found = forceAtlas2(graph, { iterations: ROUNDS, settings });
  const unit = spacingOf(Object.values(found));
  return (node) => ({ x: found[node].x / unit, y: found[node].y / unit });
}

/** Return the side of the square that each node would have if they shared the drawing evenly. */
function spacingOf(places) {
  const spread = (name) => {
    const values = places.map((place) => place[name]);
    return Math.max(...values) - Math.min(...values);
  };
  return Math.sqrt((spread("x") * spread("y")) / places.length) || 1;
}
