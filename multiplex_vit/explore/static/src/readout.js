// The readout: in words and bars, what the selected patches look at.

import { element, drawing, short } from "./dom.js";
import { pinsOf } from "./settings.js";
import { nodeName, verb } from "./words.js";

const SHOWN = 4;

/** Write what there is to say about what is selected. */
export function writeReadout(node, contents, state) {
  const pins = pinsOf(state);
  if (state.hovered < 0 && pins.length === 2) {
    node.replaceChildren(...pair(contents, state, pins));
    return;
  }
  const active = state.hovered >= 0 ? state.hovered : pins[0];
  if (active === undefined) {
    const hint = "Point at a patch, in the photo or in the network. Click to pin it; pin a second one to compare the two.";
    node.replaceChildren(element("p", { class: "mvx-hint", text: hint }));
    return;
  }
  node.replaceChildren(...single(contents, state, active));
}

function single(contents, state, active) {
  const network = contents.networks[state.network];
  const layer = network.layers[state.layer];
  const parts = [element("h3", { text: `Patch at ${nodeName(contents, active)}, layer ${layer}` })];
  const lists = element("div", { class: "mvx-lists" });
  if (state.direction !== "received") {
    lists.append(list(contents, network, "sent", network.sent.of(state.layer, active, SHOWN)));
  }
  if (state.direction !== "sent") {
    const edges = network.received.of(state.layer, active, SHOWN);
    lists.append(list(contents, network, "received", edges));
  }
  parts.push(lists);
  const facts = factsOf(contents, state, active);
  if (facts) parts.push(element("p", { text: facts }));
  return parts;
}

function list(contents, network, kind, edges) {
  const items = edges.map((edge) => {
    const bar = element("span", { class: `mvx-bar mvx-${kind}` });
    bar.style.width = `${Math.max(2, (60 * edge.weight) / edges[0].weight)}px`;
    const text = `${nodeName(contents, edge.node)} `;
    return element("li", {}, [element("span", { text }), bar, element("span", { text: short(edge.weight) })]);
  });
  if (!items.length) items.push(element("li", { text: "no patch" }));
  return element("div", {}, [
    element("h4", { class: `mvx-${kind}-text`, text: verb(network, kind) }),
    element("ol", {}, items),
  ]);
}

/** Return the value by which nodes are coloured, and its rank in the layer. */
function factsOf(contents, state, active) {
  const network = contents.networks[state.network];
  const values = network.measure(state.colour);
  if (!values) return "";
  const start = state.layer * contents.nNodes;
  const ofLayer = values.subarray(start, start + contents.nNodes);
  const value = ofLayer[active];
  if (Number.isNaN(value)) return "";
  const rank = 1 + ofLayer.filter((other) => other > value).length;
  const name = state.colour.replaceAll("_", " ");
  return `Its ${name} is ${short(value)}: number ${rank} of ${contents.nNodes} in this layer.`;
}

// --- two patches ---------------------------------------------------------------------------------

function pair(contents, state, [one, other]) {
  const network = contents.networks[state.network];
  const title = `A (${nodeName(contents, one)}) and B (${nodeName(contents, other)}), layer by layer`;
  const note = "A missing bar: the edge is not among the strongest of either patch.";
  const targets = new Set(network.sent.of(state.layer, one).map((edge) => edge.node));
  const shared = network.sent.of(state.layer, other).filter((edge) => targets.has(edge.node));
  const overlap =
    `In layer ${network.layers[state.layer]}, ${shared.length} of the ${targets.size} patches ` +
    `that A ${verb(network, "sent")} most are also among those of B.`;
  return [
    element("h3", { text: title }),
    bars(network, one, other, `A ${verb(network, "sent")} B`, "sent"),
    bars(network, other, one, `B ${verb(network, "sent")} A`, "received"),
    element("p", { class: "mvx-hint", text: note }),
    element("p", { text: overlap }),
  ];
}

function bars(network, source, target, text, kind) {
  const weights = network.layers.map(
    (_, layer) =>
      network.sent.between(layer, source, target) ??
      network.received.between(layer, target, source),
  );
  const top = Math.max(...weights.map((weight) => weight ?? 0)) || 1;
  const width = 100 / weights.length;
  const drawn = weights.map((weight, layer) => {
    const height = (36 * (weight ?? 0)) / top;
    const label = `${network.layers[layer]}: ${short(weight)}`;
    return drawing(
      "rect",
      {
        x: `${layer * width + 0.15 * width}%`,
        y: 38 - height,
        width: `${0.7 * width}%`,
        height: Math.max(height, 0.5),
        class: `mvx-${kind}`,
      },
      [drawing("title", { text: label })],
    );
  });
  const svg = drawing("svg", { class: "mvx-bars", role: "img", "aria-label": text }, drawn);
  const most = weights.some((weight) => weight !== null) ? `, at most ${short(top)}` : ": never among the strongest";
  return element("div", {}, [element("h4", { class: `mvx-${kind}-text`, text: text + most }), svg]);
}
