// The legend: what colours, sizes and lines mean.

import { gradientOf, heatScale } from "./colours.js";
import { element, short } from "./dom.js";
import { verb } from "./words.js";

/** Write the legend of the network. */
export function writeLegend(node, contents, state, legend) {
  const network = contents.networks[state.network];
  const parts = [colourLegend(legend)];
  const sizes = state.size === "equal" ? "" : `Larger dots: more ${state.size.replace("class:", "").replaceAll("_", " ")}.`;
  if (sizes) parts.push(element("span", { text: sizes }));
  for (const kind of ["sent", "received"]) {
    if (state.direction !== "both" && state.direction !== kind) continue;
    const line = element("span", { class: `mvx-line mvx-${kind}` });
    const text = `the patch ${verb(network, kind)} …`;
    parts.push(element("span", { class: "mvx-key" }, [line, element("span", { text })]));
  }
  node.replaceChildren(...parts);
}

function colourLegend(legend) {
  const title = element("strong", { text: `Colour: ${legend.title}` });
  if (legend.range) {
    return element("span", { class: "mvx-key" }, [title, ...scaleOf("values", legend.range)]);
  }
  const groups = (legend.groups ?? []).map(({ colour, text }) => {
    const dot = element("span", { class: "mvx-dot" });
    dot.style.background = colour;
    return element("span", { class: "mvx-key" }, [dot, element("span", { text })]);
  });
  if (legend.more > 0) groups.push(element("span", { text: `and ${legend.more} smaller` }));
  return element("span", { class: "mvx-key" }, [title, ...groups]);
}

function scaleOf(kind, [low, high]) {
  const scale = element("span", { class: "mvx-scale" });
  scale.style.background = gradientOf(kind);
  return [element("span", { text: `≤ ${short(low)}` }), scale, element("span", { text: `≥ ${short(high)}` })];
}

/** Return what the colours of the heatmap over the photo mean. */
export function heatLegend(contents, state) {
  const { names, heatmap } = contents.classes;
  const { range, isSigned } = heatScale(heatmap(state.cls));
  const text = `Heatmap of “${names[state.cls]}”:`;
  return [element("span", { class: "mvx-key" }, [element("span", { text }), ...scaleOf(isSigned ? "signed" : "heat", range)])];
}
