// Masks, one after the other: what each kept, the confidence with it, and the heatmap so far.

import { button, drawing, element, percent, short, slider } from "./dom.js";
import { drawGrowth } from "./photo.js";

const PAUSE = 350;
const HEIGHT = 64;

/** Return the panel of the masks: { node, update }. */
export function masksPanel(contents, store) {
  const { masks, classes } = contents;
  let timer = null;
  const play = button("▶ Play", "Show one mask after the other (space)", toggle);
  const steps = slider("Mask", { min: 0, max: masks.count - 1, step: 1, move: (mask) => store.set({ mask }) });
  const words = element("p", { class: "mvx-words" });
  const chart = drawing("svg", { class: "mvx-chart", role: "img", "aria-label": "confidence with each mask", preserveAspectRatio: "none", viewBox: `0 0 ${masks.count} ${HEIGHT}` });
  const canvas = element("canvas", { class: "mvx-photo", role: "img", "aria-label": "the heatmap that grows from the masks" });
  const grown = element("figcaption", {});
  const figure = element("figure", {}, [canvas, grown]);
  const intro = element("p", {
    text:
      "Each mask keeps some patches, and the model classifies the photo from these alone (bars: its " +
      "confidence). The heatmap gives each patch the confidence of the masks that keep it.",
  });
  const node = element("div", { class: "mvx-panel" }, [
    intro,
    element("div", { class: "mvx-row" }, [play, steps.node]),
    words,
    chart,
  ]);

  function toggle() {
    if (timer) return stop();
    play.textContent = "❚❚ Pause";
    if (store.get().mask >= masks.count - 1) store.set({ mask: 0 });
    timer = setInterval(() => {
      const { mask, tab } = store.get();
      if (mask >= masks.count - 1 || tab !== "masks") return stop();
      store.set({ mask: mask + 1 });
      return undefined;
    }, PAUSE);
    return undefined;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
  }

  function update(state, pictures) {
    const kept = masks.kept(state.mask).reduce((sum, flag) => sum + flag, 0);
    const confidence = masks.confidence(state.mask, state.cls);
    const { count } = masks.growth(state.mask, state.cls);
    steps.set(state.mask, `${state.mask + 1} of ${masks.count}`);
    words.textContent =
      `${masks.labels[state.mask]}: keeps ${kept} of ${contents.nPatches} patches ` +
      `(${percent(kept / contents.nPatches)}); “${classes.names[state.cls]}” then has ${short(confidence)} ` +
      `(whole photo: ${short(classes.scores[state.cls])}).`;
    const from = count === 1 ? "the first mask" : `the first ${count} masks`;
    grown.textContent = `the heatmap from ${from}`;
    drawBars(chart, contents, state);
    drawGrowth(canvas, contents, state, pictures);
  }

  return { node, figure, update, toggle };
}

function drawBars(chart, contents, state) {
  const { masks, classes } = contents;
  const values = Array.from({ length: masks.count }, (_, mask) => masks.confidence(mask, state.cls));
  const low = Math.min(0, ...values);
  const high = Math.max(classes.scores[state.cls], ...values) || 1;
  const heightOf = (value) => ((value - low) / (high - low)) * (HEIGHT - 2);
  const bars = values.map((value, mask) => {
    const height = Math.max(0.8, heightOf(value));
    const kind = mask === state.mask ? "mvx-now" : mask < state.mask ? "mvx-past" : "mvx-coming";
    return drawing("rect", { x: mask + 0.1, y: HEIGHT - height, width: 0.8, height, class: kind });
  });
  const whole = HEIGHT - heightOf(classes.scores[state.cls]);
  bars.push(drawing("line", { x1: 0, x2: masks.count, y1: whole, y2: whole, class: "mvx-whole" }));
  chart.replaceChildren(...bars);
}
