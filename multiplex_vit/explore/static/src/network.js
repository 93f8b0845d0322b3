// The network, drawn by sigma.js: the selected layer in a lens, and all layers in a stack.

import Graph from "graphology";
import Sigma from "sigma";
import { EdgeArrowProgram } from "sigma/rendering";
import { INK } from "./colours.js";
import { addBase, addFocus, addFrames, edgeLook, stackFits } from "./edges.js";
import { keptNow } from "./kept.js";
import { forceLayout, gridLayout, stackLayout } from "./layout.js";
import { colouring, sizing } from "./looks.js";
import { fill, nodeLook, place } from "./nodes.js";
import { pinsAfter, pinsOf } from "./settings.js";

const LARGEST_LABEL = Infinity;

/** Return a drawing of the network of a page inside an element. */
export function createNetworkView(stage, contents, store, theme) {
  const view = {
    contents,
    stage,
    graph: new Graph({ multi: true, type: "directed", allowSelfLoops: false }),
    layouts: new Map(),
    photoColours: null,
    focused: [],
  };
  fill(view.graph, contents);
  look();
  const sigma = new Sigma(view.graph, stage, {
    itemSizesReference: "positions",
    zoomToSizeRatioFunction: (ratio) => ratio,
    minEdgeThickness: 0.8,
    stagePadding: 12,
    zIndex: true,
    // Programs are drawn one after the other: what is in focus comes last.
    edgeProgramClasses: { focus: EdgeArrowProgram },
    minCameraRatio: 0.05,
    maxCameraRatio: 3,
    labelSize: 13,
    labelFont: "system-ui, sans-serif",
    labelColor: { color: view.ink.text },
    labelRenderedSizeThreshold: LARGEST_LABEL,
    defaultDrawNodeHover: () => {},
    allowInvalidContainer: true,
    nodeReducer: (_, node) => nodeLook(view, node),
    edgeReducer: (_, edge) => edgeLook(view, edge),
  });
  listen(sigma, view, store);

  /** Work out how everything looks now, and draw the edges that belong to it. */
  function look() {
    const state = store.get();
    view.state = state;
    view.ink = INK[theme()];
    view.network = contents.networks[state.network];
    view.active = state.hovered >= 0 ? [state.hovered] : pinsOf(state);
    view.kept = keptNow(contents, state);
    view.looks = {
      ...colouring(contents, state, view.photoColours),
      size: sizing(contents, state),
    };
    view.layout = layoutOf(view);
    if (view.placed !== view.layout) place(view);
    view.placed = view.layout;
    placeEdges(view);
  }

  function update(names) {
    look();
    sigma.setSetting("labelColor", { color: view.ink.text });
    sigma.refresh();
    if (names.has("layout")) sigma.getCamera().setState({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
  }

  return {
    sigma,
    graph: view.graph,
    update,
    looks: () => view.looks,
    setPhotoColours(colours) {
      view.photoColours = colours;
    },
  };
}

/** Return the layout that is chosen; each is worked out once. */
function layoutOf({ contents, stage, network, layouts, state }) {
  const { layout, layer, k } = state;
  const { width, height } = stage.getBoundingClientRect();
  const aspect = width / height || 1.3;
  const nLayers = network.layers.length;
  const makers = {
    stack: [`stack ${nLayers} ${aspect.toFixed(1)}`, () => stackLayout(contents, nLayers, aspect)],
    grid: ["grid", () => gridLayout(contents)],
    force: [`force ${state.network} ${layer} ${k}`, () => forceLayout(contents, network, layer, k)],
  };
  const [key, make] = makers[layout];
  if (!layouts.has(key)) layouts.set(key, make());
  return layouts.get(key);
}

function placeEdges(view) {
  const { graph, state, layout, network } = view;
  const inStack = layout.stack && stackFits(view);
  const drawn = [network.name, state.k, state.direction, state.layer, inStack].join("|");
  if (drawn !== view.drawn) {
    view.drawn = drawn;
    view.focused = [];
    graph.clearEdges();
    addFrames(view);
    addBase(view, state.layer, true);
    for (let layer = 0; inStack && layer < network.layers.length; layer += 1) {
      addBase(view, layer, false);
    }
  }
  for (const edge of view.focused) graph.dropEdge(edge);
  view.focused = view.active.flatMap((node) => addFocus(view, node));
}

function listen(sigma, view, store) {
  const at = (key) => view.graph.getNodeAttributes(key);
  sigma.on("enterNode", ({ node }) => {
    if (at(node).node >= 0) store.set({ hovered: at(node).node });
  });
  sigma.on("leaveNode", () => store.set({ hovered: -1 }));
  sigma.on("clickNode", ({ node: key }) => {
    const { layer, node, inLens } = at(key);
    if (inLens && node >= 0) store.set({ pins: pinsAfter(store.get(), node) });
    // A click into the stack takes its layer into the lens.
    if (!inLens) store.set({ layer });
  });
}
