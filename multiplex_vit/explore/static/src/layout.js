// Layout: where nodes stand. The force layout is ForceAtlas2 of graphology.
//
// A layout is { lens: node => place, spacing, stack }: the lens shows the selected layer, with so
// much space between nodes, and the stack, where there is one, shows all layers at a spacing of 1.

import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";

// A plane of the stack is seen from above: rows lean to the right and are closer together.
const LEAN = 0.42;
const FLAT = 0.5;
const GAP = 0.14;
const BETWEEN_COLUMNS = 0.08;
const MARGIN = 0.9;
const ROUNDS = 250;
/** Part of the width that the stack takes beside the lens, at most. */
const STACK_SHARE = 0.52;

/** Return where a node stands in the photo, in patches from its middle. */
function gridPlace({ rows, cols, nPrefix }, node) {
  const patch = node - nPrefix;
  // Prefix tokens stand in a row above the photo.
  if (patch < 0) return { col: node * 1.5 - cols / 2, row: -rows / 2 - 1.5 };
  return { col: (patch % cols) - (cols - 1) / 2, row: Math.floor(patch / cols) - (rows - 1) / 2 };
}

function leaning({ col, row }) {
  return { x: col - LEAN * row, y: -FLAT * row };
}

function flat({ col, row }) {
  return { x: col, y: -row };
}

/** Return the four corners of a photo, one after the other, by a way of placing. */
function cornersOf({ rows, cols }, placed) {
  const right = (cols - 1) / 2 + MARGIN;
  const down = (rows - 1) / 2 + MARGIN;
  const turns = [
    { col: -right, row: -down },
    { col: right, row: -down },
    { col: right, row: down },
    { col: -right, row: down },
  ];
  return turns.map(placed);
}

// --- all layers beside a large one ---------------------------------------------------------------

/** Return the number of columns of planes that leaves most room for the lens. */
function columnsFor(nLayers, aspect, { width, height, step }) {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= nLayers; columns += 1) {
    const tall = height + (Math.ceil(nLayers / columns) - 1) * step;
    const wide = columns * width;
    // The drawing is as wide as its shape asks for, or wider where the stack is.
    const total = Math.max(tall * aspect, wide / STACK_SHARE);
    const side = Math.min(total - wide, total / aspect) / total;
    if (side > best.side) best = { columns, side };
  }
  return best.columns;
}

/** Return the layout of all layers in a stack, with the selected one large beside it. */
export function stackLayout(contents, nLayers, aspect) {
  const { rows, cols } = contents;
  const width = (cols + LEAN * rows) * (1 + BETWEEN_COLUMNS);
  const height = FLAT * rows;
  const step = height * (1 + GAP) + 0.7;
  const columns = columnsFor(nLayers, aspect, { width, height, step });
  const perColumn = Math.ceil(nLayers / columns);
  const tall = height + (perColumn - 1) * step;
  const wide = columns * width;
  const total = Math.max(tall * aspect, wide / STACK_SHARE);
  const spacing = Math.min((total - wide) / (cols + 3), total / aspect / (rows + 3));
  // The first layer is at the bottom left, as in drawings of multiplex networks.
  const origin = (layer) => ({
    x: Math.floor(layer / perColumn) * width,
    y: (layer % perColumn) * step,
  });
  const middle = { x: wide - width / 2 + (total - wide) / 2, y: (tall - height) / 2 };
  const moved = ({ x, y }, by) => ({ x: x + by.x, y: y + by.y });
  const large = (place) => {
    const { x, y } = flat(place);
    return moved({ x: spacing * x, y: spacing * y }, middle);
  };
  const planes = contents.names.map((_, node) => leaning(gridPlace(contents, node)));
  return {
    spacing,
    lens: (node) => large(gridPlace(contents, node)),
    lensCorners: () => cornersOf(contents, large),
    stack: {
      place: (layer, node) => moved(planes[node], origin(layer)),
      name: (layer) => moved({ x: -(cols + LEAN * rows) / 2 - 2, y: height / 2 - 1 }, origin(layer)),
      corners: (layer) => cornersOf(contents, leaning).map((place) => moved(place, origin(layer))),
      isNext: (layer) => layer + 1 < nLayers && (layer + 1) % perColumn !== 0,
    },
  };
}

// --- one layer -----------------------------------------------------------------------------------

/** Return the layout of one layer whose nodes stand as in the photo. */
export function gridLayout(contents) {
  return {
    spacing: 1,
    lens: (node) => flat(gridPlace(contents, node)),
    lensCorners: () => cornersOf(contents, flat),
    stack: null,
  };
}

/** Return the layout of one layer whose strongest edges pull its nodes together. */
export function forceLayout(contents, network, layer, k) {
  const graph = new Graph({ type: "undirected" });
  for (let node = 0; node < contents.nNodes; node += 1) {
    graph.addNode(node, flat(gridPlace(contents, node)));
  }
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
  const lens = (node) => ({ x: found[node].x / unit, y: found[node].y / unit });
  return { spacing: 1, lens, lensCorners: () => null, stack: null };
}

/** Return the side of the square that each node would have if they shared the drawing evenly. */
function spacingOf(places) {
  const spread = (name) => {
    const values = places.map((place) => place[name]);
    return Math.max(...values) - Math.min(...values);
  };
  return Math.sqrt((spread("x") * spread("y")) / places.length) || 1;
}
