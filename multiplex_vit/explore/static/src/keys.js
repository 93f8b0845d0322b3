// Keys: all that the pointer does.

import { element } from "./dom.js";
import { pinsAfter, pinsOf, tabsOf } from "./settings.js";

const KEYS = [
  ["← ↑ ↓ →", "point at the next patch"],
  ["Enter", "pin the patch, or let it go"],
  ["[ and ]", "one layer down, one layer up"],
  ["− and +", "fewer or more lines a patch"],
  ["1, 2, 3", "attention, masks, insertion and deletion"],
  [", and .", "the mask or the share before, and the next"],
  ["Space", "play the masks"],
  ["Esc", "let go of all"],
  ["t", "light or dark"],
  ["?", "this list"],
];
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const FIELDS = ["INPUT", "SELECT", "TEXTAREA"];

/** Return the list of keys, as a dialogue that is closed at first. */
export function keyList() {
  const rows = KEYS.map(([key, text]) =>
    element("tr", {}, [element("td", {}, [element("kbd", { text: key })]), element("td", { text })]),
  );
  const dialog = element("dialog", { class: "mvx-dialog" }, [
    element("h2", { text: "Keys" }),
    element("table", {}, rows),
    element("form", { method: "dialog" }, [element("button", { text: "Close" })]),
  ]);
  return dialog;
}

/** Let keys change the settings while the explorer has the focus. */
export function listenToKeys(root, contents, store, actions) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (FIELDS.includes(event.target.tagName) || event.target.closest("dialog")) return;
    // A button or a link is pressed by Enter and space, as everywhere.
    const presses = event.key === "Enter" || event.key === " ";
    if (presses && event.target.tagName === "BUTTON") return;
    const changes = changesBy(event.key, contents, store.get(), actions);
    if (!changes) return;
    event.preventDefault();
    event.stopPropagation();
    store.set(changes);
  });
}

function changesBy(key, contents, state, actions) {
  if (MOVES[key]) return moved(contents, state, MOVES[key]);
  const network = contents.networks[state.network];
  const tabs = Object.keys(tabsOf(contents));
  const within = (value, most) => Math.min(most, Math.max(0, value));
  const makers = {
    "[": () => ({ layer: within(state.layer - 1, network.layers.length - 1) }),
    "]": () => ({ layer: within(state.layer + 1, network.layers.length - 1) }),
    "-": () => ({ k: Math.max(1, state.k - 1) }),
    "+": () => ({ k: Math.min(network.k, state.k + 1) }),
    ",": () => stepped(contents, state, -1),
    ".": () => stepped(contents, state, 1),
    Enter: () => (state.hovered >= 0 ? { pins: pinsAfter(state, state.hovered) } : {}),
    Escape: () => ({ pins: "", hovered: -1 }),
    " ": () => actions.play(),
    t: () => actions.theme(),
    "?": () => actions.help(),
  };
  if (Object.hasOwn(makers, key)) return makers[key]() ?? {};
  const tab = tabs[Number(key) - 1];
  return tab ? { tab } : null;
}

function moved(contents, state, [down, right]) {
  const { rows, cols, nPrefix } = contents;
  const pins = pinsOf(state);
  const start = state.hovered >= 0 ? state.hovered : (pins.at(-1) ?? nPrefix);
  const patch = Math.max(0, start - nPrefix);
  const row = Math.min(rows - 1, Math.max(0, Math.floor(patch / cols) + down));
  const col = Math.min(cols - 1, Math.max(0, (patch % cols) + right));
  return { hovered: nPrefix + row * cols + col };
}

function stepped(contents, state, by) {
  if (state.tab === "masks") {
    return { mask: Math.min(contents.masks.count - 1, Math.max(0, state.mask + by)) };
  }
  if (state.tab === "curves") {
    return { share: Math.min(1, Math.max(0, Math.round(1000 * (state.share + 0.01 * by)) / 1000)) };
  }
  return {};
}
