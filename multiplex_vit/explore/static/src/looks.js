// Looks: which colour and which size every node has, and the legend that says what they mean.

import { middleRangeOf, placeBetween } from "./arrays.js";
import { OTHER, colourOf, groupColours } from "./colours.js";

const SMALLEST = 0.16;
const LARGEST = 0.47;
const EQUAL = 0.33;

/** Return { colour: (layer, node) => css, legend } for what is chosen. */
export function colouring(contents, state, photoColours) {
  const network = contents.networks[state.network];
  const { nNodes, nPrefix } = contents;
  const [kind, name] = splitChoice(state.colour);
  if (kind === "photo" && photoColours) {
    const colour = (_, node) => photoColours[node - nPrefix] ?? OTHER;
    return { colour, legend: { title: "colours of the photo" } };
  }
  if (kind === "group" && network.partition(name)) return byGroup(network, name, nNodes);
  if (kind === "class" && contents.classes) {
    const values = contents.classes.heatmap(state.cls);
    return byValue((_, node) => values[node - nPrefix] ?? NaN, values, heatTitle(contents, state));
  }
  const measure = measureOr(network, name);
  const values = network.measure(measure);
  return byValue((layer, node) => values[layer * nNodes + node], values, measure);
}

/** Return (layer, node) => radius in spacings between nodes. */
export function sizing(contents, state) {
  const network = contents.networks[state.network];
  const { nNodes, nPrefix } = contents;
  const [kind, name] = splitChoice(state.size);
  if (kind === "measure" && name === "equal") return () => EQUAL;
  const ofClass = kind === "class" && contents.classes;
  const values = ofClass
    ? contents.classes.heatmap(state.cls)
    : network.measure(measureOr(network, name));
  const range = middleRangeOf(values);
  return (layer, node) => {
    const value = values[ofClass ? node - nPrefix : layer * nNodes + node];
    if (value === undefined || Number.isNaN(value)) return SMALLEST;
    // The area of a node, not its radius, grows with the value.
    return SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(placeBetween(value, range));
  };
}

function byValue(valueOf, values, title) {
  const range = middleRangeOf(values);
  return {
    colour: (layer, node) => colourOf(valueOf(layer, node), range),
    legend: { title: title.replaceAll("_", " "), range },
  };
}

function byGroup(network, name, nNodes) {
  const numbers = network.partition(name);
  const { labels } = network.partitions[name];
  const colours = groupColours(numbers);
  const largest = [...colours].slice(0, 10).sort((one, other) => one[0] - other[0]);
  const groups = largest.map(([number, colour]) => ({
    colour,
    text: labels[number] ?? `${number + 1}`,
  }));
  return {
    colour: (layer, node) => colours.get(numbers[layer * nNodes + node]),
    legend: { title: name, groups, more: colours.size - groups.length },
  };
}

function heatTitle(contents, state) {
  return `heatmap of “${contents.classes.names[state.cls]}”`;
}

function measureOr(network, name) {
  return network.measure(name) ? name : Object.keys(network.measures)[0];
}

function splitChoice(choice) {
  const colon = choice.indexOf(":");
  return colon < 0 ? ["measure", choice] : [choice.slice(0, colon), choice.slice(colon + 1)];
}
