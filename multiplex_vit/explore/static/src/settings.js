// Settings: their defaults, and their form as words, which the address and Python read and write.

export const LAYOUTS = { photo: "as in the photo", force: "by force" };
export const DIRECTIONS = { both: "both", sent: "looks at", received: "is looked at by" };
export const OVERLAYS = { heatmap: "heatmap", nodes: "colours of the nodes", none: "nothing" };
export const TABS = { attention: "Attention", masks: "Masks", curves: "Insertion and deletion" };
export const THEMES = ["auto", "light", "dark"];

/** Return what is selected when a page opens. */
export function defaultSettings(contents) {
  const network = contents.networks[0];
  return {
    tab: "attention",
    network: 0,
    layer: Math.floor((2 * network.layers.length) / 3),
    layout: "photo",
    k: Math.min(2, network.k),
    direction: "both",
    colour: "in_strength",
    size: "in_strength",
    cls: 0,
    overlay: contents.classes ? "heatmap" : "nodes",
    pins: "",
    hovered: -1,
    mask: 0,
    curve: 0,
    share: 0.25,
    theme: "auto",
  };
}

/** Return whether nothing but the patch that is pointed at has changed. */
export function isPointing(names) {
  return names.size === 1 && names.has("hovered");
}

/** Return pinned nodes by number. */
export function pinsOf(state) {
  return state.pins ? state.pins.split(",").map(Number) : [];
}

/** Return pins after a node was pinned or, if it was pinned already, let go. */
export function pinsAfter(state, node) {
  const pins = pinsOf(state);
  const left = pins.filter((pin) => pin !== node);
  if (left.length === pins.length) left.push(node);
  // Two at most: a third one takes the place of the older.
  return left.slice(-2).join(",");
}

/** Return what can colour nodes now: { value: text }. */
export function colourChoices(contents, state) {
  const network = contents.networks[state.network];
  const choices = {};
  for (const name of Object.keys(network.measures)) choices[name] = name.replaceAll("_", " ");
  for (const name of Object.keys(network.partitions)) choices[`group:${name}`] = name;
  if (contents.classes) choices["class:heatmap"] = "heatmap";
  if (contents.photo) choices["photo:"] = "the photo";
  return choices;
}

/** Return what can size nodes now: { value: text }. */
export function sizeChoices(contents, state) {
  const network = contents.networks[state.network];
  const choices = { equal: "all alike" };
  for (const name of Object.keys(network.measures)) choices[name] = name.replaceAll("_", " ");
  if (contents.classes) choices["class:heatmap"] = "heatmap";
  return choices;
}

/** Return settings as words. */
export function wordsOf(contents, state) {
  const network = contents.networks[state.network];
  const words = {
    tab: state.tab,
    network: network.name,
    layer: network.layers[state.layer],
    layout: state.layout,
    k: state.k,
    direction: state.direction,
    colour: state.colour,
    size: state.size,
    overlay: state.overlay,
    pins: pinsOf(state).map((pin) => contents.names[pin]),
    theme: state.theme,
  };
  if (contents.classes) words.class = contents.classes.names[state.cls];
  if (contents.masks) words.mask = state.mask;
  if (contents.curves) {
    words.curve = contents.curves.curves[state.curve].name;
    words.share = Math.round(state.share * 1000) / 1000;
  }
  return words;
}

/** Return the changes to settings that words ask for; what has no meaning here is left out. */
export function changesOf(contents, state, words) {
  const changes = {};
  const choose = (name, value, choices) => {
    if (typeof value === "string" && Object.hasOwn(choices, value)) changes[name] = value;
  };
  const place = (name, value, values) => {
    const found = values.indexOf(value);
    if (value !== undefined && found >= 0) changes[name] = found;
  };
  place("network", words.network, contents.networks.map((network) => network.name));
  const after = { ...state, ...changes };
  const network = contents.networks[after.network];
  // A network may have fewer layers or edges than the one before.
  if (state.layer >= network.layers.length) changes.layer = network.layers.length - 1;
  if (state.k > network.k) changes.k = network.k;
  place("layer", words.layer, network.layers);
  if (isWhole(words.layer, 0, network.layers.length - 1)) changes.layer ??= Number(words.layer);
  choose("tab", words.tab, tabsOf(contents));
  choose("layout", words.layout, LAYOUTS);
  choose("direction", words.direction, DIRECTIONS);
  choose("overlay", words.overlay, OVERLAYS);
  choose("colour", words.colour, colourChoices(contents, after));
  choose("size", words.size, sizeChoices(contents, after));
  if (THEMES.includes(words.theme)) changes.theme = words.theme;
  if (isWhole(words.k, 1, network.k)) changes.k = Number(words.k);
  if (words.pins !== undefined) changes.pins = pinsFrom(contents, words.pins);
  if (contents.classes) place("cls", words.class, contents.classes.names);
  if (contents.masks && isWhole(words.mask, 0, contents.masks.count - 1)) {
    changes.mask = Number(words.mask);
  }
  if (contents.curves) {
    place("curve", words.curve, contents.curves.curves.map((curve) => curve.name));
    const share = Number(words.share);
    if (share >= 0 && share <= 1) changes.share = share;
  }
  return changes;
}

/** Return the tabs that a page has. */
export function tabsOf(contents) {
  const tabs = { attention: TABS.attention };
  if (contents.masks) tabs.masks = TABS.masks;
  if (contents.curves) tabs.curves = TABS.curves;
  return tabs;
}

function pinsFrom(contents, given) {
  const names = Array.isArray(given) ? given : String(given).split(",");
  const numbers = names.map((name) => contents.names.indexOf(name));
  return numbers.filter((number) => number >= 0).slice(0, 2).join(",");
}

function isWhole(value, least, most) {
  if (value === undefined || value === "") return false;
  const number = Number(value);
  return Number.isInteger(number) && number >= least && number <= most;
}
