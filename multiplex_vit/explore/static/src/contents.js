// What the page holds: networks, heatmaps, masks and curves, read from the JSON of contents.py.

import { codesOf, flagsOf, sharesOf, valuesOf } from "./arrays.js";

/** The strongest edges of every node in one direction. */
class Strongest {
  constructor(json, nNodes, greatest) {
    this.nodes = codesOf(json.nodes);
    this.shares = sharesOf(json.shares);
    this.k = json.nodes.shape[2];
    this.nNodes = nNodes;
    this.greatest = greatest;
  }

  /** Return the edges of a node, strongest first: [{ node, share, weight }]. */
  of(layer, node, most = this.k) {
    const start = (layer * this.nNodes + node) * this.k;
    const edges = [];
    for (let place = start; place < start + Math.min(most, this.k); place += 1) {
      const share = this.shares[place];
      if (!share) break;
      edges.push({ node: this.nodes[place], share, weight: share * this.greatest[layer] });
    }
    return edges;
  }

  /** Return the weight of one edge, or null where it is not among those that were kept. */
  between(layer, node, other) {
    const edge = this.of(layer, node).find((candidate) => candidate.node === other);
    return edge ? edge.weight : null;
  }
}

/** One network: layers, edges, and values of nodes. */
class Network {
  constructor(json, nNodes) {
    this.name = json.name;
    this.layers = json.layers;
    this.edges = json.edges;
    this.nEdges = json.nEdges;
    this.nNodes = nNodes;
    this.sent = new Strongest(json.sent, nNodes, json.greatest);
    this.received = new Strongest(json.received, nNodes, json.greatest);
    this.k = this.sent.k;
    this.measures = json.measures;
    this.partitions = json.partitions;
    this.read = new Map();
  }

  /** Return the values [layer * node] of a measure, or null. */
  measure(name) {
    if (!Object.hasOwn(this.measures, name)) return null;
    return this.once(`measure ${name}`, () => valuesOf(this.measures[name]));
  }

  /** Return the groups [layer * node] of a partition, or null. */
  partition(name) {
    if (!Object.hasOwn(this.partitions, name)) return null;
    return this.once(`partition ${name}`, () => codesOf(this.partitions[name].numbers));
  }

  once(name, make) {
    if (!this.read.has(name)) this.read.set(name, make());
    return this.read.get(name);
  }
}

function masksOf(json, nPatches) {
  const kept = flagsOf(json.kept);
  const confidence = valuesOf(json.confidence);
  const growth = valuesOf(json.growth);
  const nClasses = json.confidence.shape[1];
  const nCounts = json.counts.length;
  return {
    count: json.labels.length,
    labels: json.labels,
    counts: json.counts,
    kept: (mask) => kept.subarray(mask * nPatches, (mask + 1) * nPatches),
    confidence: (mask, cls) => confidence[mask * nClasses + cls],
    // The heatmap is kept after some numbers of masks only, where there are many.
    growth(mask, cls) {
      let step = 0;
      while (step + 1 < nCounts && json.counts[step + 1] <= mask + 1) step += 1;
      const start = (cls * nCounts + step) * nPatches;
      return { count: json.counts[step], values: growth.subarray(start, start + nPatches) };
    },
  };
}

function classesOf(json, nPatches) {
  const heatmaps = valuesOf(json.heatmaps);
  return {
    ...json,
    heatmap: (cls) => heatmaps.subarray(cls * nPatches, (cls + 1) * nPatches),
  };
}

/** Return the contents of a page from their JSON. */
export function readContents(json) {
  const [rows, cols] = json.grid;
  const nPatches = rows * cols;
  const nPrefix = json.prefix.length;
  const nNodes = nPrefix + nPatches;
  const names = [...json.prefix];
  for (let row = 0; row < rows; row += 1) {
    for (let col = 0; col < cols; col += 1) names.push(`r${row}c${col}`);
  }
  return {
    title: json.title,
    rows,
    cols,
    nPatches,
    nPrefix,
    nNodes,
    names,
    photo: json.photo,
    networks: json.networks.map((network) => new Network(network, nNodes)),
    classes: json.classes && classesOf(json.classes, nPatches),
    masks: json.masks && masksOf(json.masks, nPatches),
    curves: json.curves && { ...json.curves, order: codesOf(json.curves.order) },
  };
}
