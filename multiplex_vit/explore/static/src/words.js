// Words: what edges mean, which depends on the way they run.

const WORDS = {
  attention: { sent: "looks at", received: "is looked at by" },
  information: { sent: "passes information to", received: "takes information from" },
};

export function verb(network, kind) {
  return WORDS[network.edges][kind];
}

/** Return the name of a node as people read it. */
export function nodeName(contents, node) {
  const patch = node - contents.nPrefix;
  if (patch < 0) return `the ${contents.names[node]} token`;
  const row = Math.floor(patch / contents.cols) + 1;
  return `row ${row}, column ${(patch % contents.cols) + 1}`;
}

/** Return the sentences under the title. */
export function lead(contents) {
  const { rows, cols } = contents;
  const nLayers = contents.networks[0].layers.length;
  const cut = contents.photo ? "The model cuts the photo" : "The image is cut";
  return (
    `${cut} into ${rows} × ${cols} patches. In each of its ${nLayers} layers, every patch looks ` +
    "at the others; how much is called attention. Each dot is a patch, each plane a layer, each line " +
    "strong attention. Point at a patch to see where it looks, and which patches look at it."
  );
}

/** Return what was left out of the page. */
export function thinned(contents) {
  const { networks } = contents;
  const total = networks.reduce(
    (sum, network) => sum + network.nEdges.reduce((part, count) => part + count, 0),
    0,
  );
  const { k } = networks[0];
  const edges = total.toLocaleString("en");
  return (
    `The ${count(networks.length, "network")} of this page had ${edges} edges without self-loops; ` +
    `it holds the ${k} strongest that each patch sends and the ${k} strongest that it receives in ` +
    "each layer, with weights to within 2 %. Measures were computed from all edges."
  );
}

export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
