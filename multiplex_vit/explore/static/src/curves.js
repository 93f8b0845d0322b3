// Insertion and deletion: the picture and the confidence at any share.

import { button, drawing, element, percent, short, slider } from "./dom.js";
import { confidenceAt } from "./kept.js";

const WIDTH = 420;
const HEIGHT = 190;
const MARGIN = { left: 40, right: 22, top: 10, bottom: 34 };

/** Return the panel of the curves: { node, update }. */
export function curvesPanel(contents, store) {
  const { curves, label, protocol, quantity } = contents.curves;
  const buttons = curves.map((curve, place) =>
    button(curve.name, `Follow ${curve.name}`, () => store.set({ curve: place })),
  );
  const share = slider("Share of the patches", { min: 0, max: 1, step: 0.005, move: (value) => store.set({ share: value }) });
  const words = element("p", { class: "mvx-words" });
  const chart = drawing("svg", { class: "mvx-curves", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-label": `${quantity} of ${label} by share of the patches` });
  const intro = element("p", {
    text:
      `Patches appear or go in the order of the heatmap, most important first. Where the heatmap ` +
      `is right, “${label}” comes back early on insertion and is lost early on deletion.`,
  });
  const node = element("div", { class: "mvx-panel" }, [
    intro,
    element("div", { class: "mvx-row" }, [...buttons, share.node]),
    words,
    chart,
    element("p", { class: "mvx-hint", text: `Protocol ${protocol}; measured at ${curves[0].fraction.length} points, between which lines are drawn.` }),
  ]);

  function update(state) {
    const curve = curves[state.curve];
    const confidence = confidenceAt(curve, state.share);
    buttons.forEach((each, place) => each.setAttribute("aria-pressed", place === state.curve));
    share.set(state.share, percent(state.share));
    const done = curve.appears ? "are there" : "are gone";
    words.textContent = `${percent(state.share)} of the patches ${done}: “${label}” has ${short(confidence)}. Area under the curve of ${curve.name}: ${short(curve.auc)}.`;
    drawChart(chart, contents.curves, state);
  }

  chart.addEventListener("pointerdown", (event) => {
    const move = (moved) => store.set({ share: shareAt(chart, moved) });
    move(event);
    chart.setPointerCapture(event.pointerId);
    chart.onpointermove = move;
  });
  chart.addEventListener("pointerup", () => {
    chart.onpointermove = null;
  });
  return { node, update };
}

function shareAt(chart, event) {
  const box = chart.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * WIDTH;
  const share = (x - MARGIN.left) / (WIDTH - MARGIN.left - MARGIN.right);
  return Math.round(200 * Math.min(1, Math.max(0, share))) / 200;
}

function drawChart(chart, { curves, quantity }, state) {
  const values = curves.flatMap((curve) => curve.confidence);
  const low = Math.min(0, ...values);
  const high = Math.max(1e-9, ...values, quantity.startsWith("probability") ? 1 : 0);
  const x = (share) => MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value) =>
    HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const parts = axes(x, y, low, high);
  curves.forEach((curve, place) => {
    const points = curve.fraction.map((share, step) => `${x(share)},${y(curve.confidence[step])}`);
    const now = place === state.curve ? "mvx-thick" : "mvx-thin";
    parts.push(drawing("polyline", { points: points.join(" "), class: `mvx-curve-${place} ${now}` }));
  });
  const curve = curves[state.curve];
  const confidence = confidenceAt(curve, state.share);
  parts.push(drawing("line", { x1: x(state.share), x2: x(state.share), y1: y(low), y2: y(high), class: "mvx-axis" }));
  parts.push(drawing("circle", { cx: x(state.share), cy: y(confidence), r: 5, class: `mvx-mark-${state.curve}` }));
  chart.replaceChildren(...parts);
}

function axes(x, y, low, high) {
  const parts = [];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(drawing("text", { x: x(share), y: y(low) + 16, "text-anchor": "middle", text: percent(share) }));
  }
  for (const part of [0, 0.5, 1]) {
    const value = low + part * (high - low);
    parts.push(drawing("line", { x1: x(0), x2: x(1), y1: y(value), y2: y(value), class: "mvx-axis" }));
    parts.push(drawing("text", { x: x(0) - 6, y: y(value) + 4, "text-anchor": "end", text: short(value) }));
  }
  parts.push(drawing("text", { x: x(0.5), y: HEIGHT - 4, "text-anchor": "middle", text: "share of the patches" }));
  return parts;
}
