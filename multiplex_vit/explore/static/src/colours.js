// Colours: scales that people with colour blindness can read, on light and on dark ground.

import { middleRangeOf, placeBetween } from "./arrays.js";

// Points of viridis (van der Walt, Smith, 2015), between which colours are mixed.
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
// Points of inferno, for heat over a photo.
const INFERNO = ["#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4"];
// Blue is against, red for, and grey in between.
const SIGNED = ["#2f5fb3", "#7fa3dc", "#c9d3e3", "#dddddd", "#ecc9bd", "#dd8a73", "#b2332d"];
// Okabe, Ito (2008), and three more that stay apart from them.
const GROUPS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#8c6bb1", "#a6761d", "#66c2a5"];

/** What edges and marks have for colours in each theme. */
export const INK = {
  light: { ground: "#ffffff", text: "#1f2328", faint: "#d8dbe0", edge: "#3a4658", sent: "#c2410c", received: "#0369a1", pin: "#111827" },
  dark: { ground: "#14171c", text: "#e6e8eb", faint: "#343a43", edge: "#aab8cc", sent: "#fb923c", received: "#38bdf8", pin: "#f9fafb" },
};

/** Few colours for edges, as sigma.js reads each of them once. */
const TONES = 12;

export const OTHER = "#9aa1ab";

function channels(hex) {
  return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
}

function table(points) {
  const colours = points.map(channels);
  const mixed = [];
  for (let step = 0; step < 256; step += 1) {
    const place = (step / 255) * (colours.length - 1);
    const before = Math.min(Math.floor(place), colours.length - 2);
    const part = place - before;
    const mix = colours[before].map((value, channel) =>
      Math.round(value + part * (colours[before + 1][channel] - value)),
    );
    mixed.push(mix);
  }
  return mixed;
}

const VALUE_TABLE = table(VIRIDIS).map((colour) => css(colour));
const HEAT_TABLE = table(INFERNO);
const SIGNED_TABLE = table(SIGNED);
/** Mean opacity of heat over a photo. */
const OPACITY = 0.6;

function css([red, green, blue], alpha = 1) {
  return `rgba(${red},${green},${blue},${alpha})`;
}

/** Return strength (0 to 1) => colour between a ground and a colour, without transparency. */
export function tonesOf(ground, colour) {
  const below = channels(ground);
  const above = channels(colour);
  const tones = [];
  for (let step = 0; step <= TONES; step += 1) {
    const mix = above.map((value, channel) =>
      Math.round(below[channel] + (step / TONES) * (value - below[channel])),
    );
    tones.push(css(mix));
  }
  return (strength) => tones[Math.max(1, Math.round(strength * TONES))];
}

export function withAlpha(hex, alpha) {
  return css(channels(hex), alpha);
}

/** Return the colour of a value in a range; grey where it is missing. */
export function colourOf(value, range) {
  if (Number.isNaN(value)) return OTHER;
  return VALUE_TABLE[Math.round(255 * placeBetween(value, range))];
}

/** Return how a heatmap is drawn: its range, and whether it is for and against. */
export function heatScale(values) {
  const range = middleRangeOf(values);
  const [low, high] = range;
  if (low >= 0) return { range, isSigned: false };
  // Around 0, so that the middle of the colours is no effect.
  const bound = Math.max(-low, high);
  return { range: [-bound, bound], isSigned: true };
}

/** Return red, green, blue and opacity (0 to 255) of a value of a heatmap. */
export function heatOf(value, { range, isSigned }) {
  const place = placeBetween(value, range);
  const step = Math.round(255 * place);
  // A photo is shaded where heat is little, and let through where heat is much.
  if (!isSigned) return [...HEAT_TABLE[step], 255 * OPACITY * (1.3 - 0.5 * place)];
  return [...SIGNED_TABLE[step], 255 * OPACITY * (0.3 + Math.abs(2 * place - 1))];
}

/** Return a CSS gradient of a scale: "values", "heat" or "signed". */
export function gradientOf(kind) {
  const points = { values: VIRIDIS, heat: INFERNO, signed: SIGNED }[kind];
  return `linear-gradient(to right, ${points.join(", ")})`;
}

/** Return a colour for each group by its number: the largest groups have one of their own. */
export function groupColours(numbers) {
  const counts = new Map();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  const bySize = [...counts].sort((one, other) => other[1] - one[1] || one[0] - other[0]);
  const colours = new Map();
  bySize.forEach(([number], place) => colours.set(number, GROUPS[place] ?? OTHER));
  return colours;
}
