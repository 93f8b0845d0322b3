// The explorer inside an element: all its parts, and how each follows the settings.

import { readContents } from "./contents.js";
import { networkControls, photoControls } from "./controls.js";
import { curvesPanel } from "./curves.js";
import { button, element } from "./dom.js";
import { keyList, listenToKeys } from "./keys.js";
import { writeLegend } from "./legend.js";
import { masksPanel } from "./masks.js";
import { createNetworkView } from "./network.js";
import { drawPhoto, greyOf, loadPhoto, nodeAt, patchColours } from "./photo.js";
import { writeReadout } from "./readout.js";
import { savePng, saveSvg } from "./save.js";
import { defaultSettings, isPointing, pinsAfter, tabsOf } from "./settings.js";
import { createStore } from "./store.js";
import { lead, thinned } from "./words.js";

/** Show an explorer; return its contents and its store of settings. */
export function mount(root, json) {
  const contents = readContents(json);
  const store = createStore(defaultSettings(contents));
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = () => themeNow(store.get().theme, dark.matches);
  const parts = buildPage(contents, store);
  root.classList.add("mvx");
  root.tabIndex = 0;
  root.dataset.theme = theme();
  root.replaceChildren(...parts.nodes);

  const pictures = { image: null, grey: null };
  const network = networkOrNote(parts.stages, contents, store, theme);
  const actions = {
    play: () => parts.masks && store.get().tab === "masks" && parts.masks.toggle(),
    theme: () => ({ theme: theme() === "dark" ? "light" : "dark" }),
    help: () => parts.keys.showModal(),
  };

  const drawings = () => [network.stack.sigma, network.lens.sigma];

  function update(state, names = new Set()) {
    root.dataset.theme = theme();
    network.update(names);
    const shown = { ...pictures, theme: theme(), looks: network.looks() };
    drawPhoto(parts.photo, contents, state, shown);
    writeReadout(parts.readout, contents, state);
    if (isPointing(names)) return;
    writeLegend(parts.legend, contents, state, network.looks().legend);
    parts.update(state, shown);
  }

  parts.tools.append(
    button("◐", "Light or dark (t)", () => store.set(actions.theme())),
    button("PNG", "Save the view as a picture", () => savePng(parts.photo, drawings(), theme())),
    button("SVG", "Save the view as a drawing", () => saveSvg(parts.photo, drawings(), theme())),
    button("?", "Keys", actions.help),
  );
  pointAtPhoto(parts.photo, contents, store);
  listenToKeys(root, contents, store, actions);
  store.subscribe(update);
  dark.addEventListener("change", () => update(store.get()));
  new ResizeObserver(() => update(store.get())).observe(parts.photo);
  loadPhoto(contents).then((image) => {
    if (image) {
      pictures.image = image;
      pictures.grey = greyOf(image);
      network.setPhotoColours(patchColours(contents, image));
    }
    update(store.get());
    root.dataset.ready = "yes";
  });
  return { contents, store, network, photo: parts.photo };
}

function themeNow(chosen, isDark) {
  if (chosen !== "auto") return chosen;
  return isDark ? "dark" : "light";
}

/** Return the network, or, in a browser that cannot draw it, a line that says so. */
function networkOrNote(stages, contents, store, theme) {
  if (document.createElement("canvas").getContext("webgl2")) {
    return createNetworkView(stages, contents, store, theme);
  }
  const text = "The network cannot be drawn here: the browser has no WebGL 2. The photo works.";
  stages.lens.append(element("p", { class: "mvx-hint", text }));
  const looks = { colour: () => "transparent", legend: { title: "none" } };
  return { update() {}, looks: () => looks, setPhotoColours() {} };
}

function buildPage(contents, store) {
  const photo = element("canvas", { class: "mvx-photo", role: "img", "aria-label": "the photo, with what is selected" });
  const readout = element("div", { class: "mvx-readout", "aria-live": "polite" });
  const stages = {
    stack: element("div", { class: "mvx-stage mvx-stack", role: "img", "aria-label": "all layers" }),
    lens: element("div", { class: "mvx-stage mvx-lens", role: "img", "aria-label": "the layer" }),
  };
  const legend = element("div", { class: "mvx-legend" });
  const tools = element("div", { class: "mvx-tools" });
  const keys = keyList();
  const controls = networkControls(contents, store);
  const overlay = photoControls(contents, store);
  const masks = contents.masks && masksPanel(contents, store);
  const curves = contents.curves && curvesPanel(contents, store);
  const tabs = tabBar(contents, store);
  const panels = { attention: element("div", {}, [overlay.node, readout]) };
  if (masks) panels.masks = masks.node;
  if (curves) panels.curves = curves.node;
  const head = element("header", { class: "mvx-head" }, [
    element("div", {}, [element("h1", { text: contents.title }), element("p", { text: lead(contents) })]),
    tools,
  ]);
  const caption = element("figcaption", { text: "what this mask keeps" });
  const pair = element("div", { class: "mvx-pair" }, [element("figure", {}, [photo, caption])]);
  if (masks) pair.append(masks.figure);
  const left = element("section", { class: "mvx-left" }, [tabs.node, pair, ...Object.values(panels)]);
  const right = element("section", { class: "mvx-right" }, [
    controls.node,
    element("div", { class: "mvx-stages" }, [stages.stack, stages.lens]),
    legend,
  ]);
  const main = element("div", { class: "mvx-main" }, [left, right]);
  const foot = element("footer", { class: "mvx-hint", text: thinned(contents) });

  function update(state, pictures) {
    tabs.update(state);
    controls.update(state);
    overlay.update(state);
    for (const [name, panel] of Object.entries(panels)) panel.hidden = name !== state.tab;
    caption.hidden = state.tab !== "masks";
    if (masks) masks.figure.hidden = state.tab !== "masks";
    if (state.tab === "masks") masks.update(state, pictures);
    if (state.tab === "curves") curves.update(state);
  }

  const nodes = [head, main, foot, keys];
  return { nodes, photo, readout, stages, legend, tools, keys, masks, update };
}

function tabBar(contents, store) {
  const buttons = Object.entries(tabsOf(contents)).map(([tab, text]) => {
    const made = button(text, "", () => store.set({ tab }));
    made.setAttribute("role", "tab");
    made.dataset.tab = tab;
    return made;
  });
  const node = element("div", { class: "mvx-tabs", role: "tablist" }, buttons);
  return {
    node,
    update(state) {
      for (const each of buttons) each.setAttribute("aria-selected", each.dataset.tab === state.tab);
    },
  };
}

function pointAtPhoto(photo, contents, store) {
  photo.addEventListener("pointermove", (event) => {
    store.set({ hovered: nodeAt(photo, contents, event) });
  });
  photo.addEventListener("pointerleave", () => store.set({ hovered: -1 }));
  photo.addEventListener("click", (event) => {
    const node = nodeAt(photo, contents, event);
    if (node >= 0) store.set({ pins: pinsAfter(store.get(), node) });
  });
}
