// The photo, with what is selected drawn over it.

import { INK, heatOf, heatScale, withAlpha } from "./colours.js";
import { flagsNow } from "./kept.js";
import { pinsOf } from "./settings.js";

const SHADE = "rgba(8,10,14,0.62)";
const GONE = { black: "#000000" };
/** Patches from which heat is smooth: squares of fewer can be told apart. */
const SMOOTH_FROM = 256;

/** Return the picture of the photo once it is decoded; null where there is none. */
export function loadPhoto(contents) {
  if (!contents.photo) return Promise.resolve(null);
  const image = new Image();
  image.src = contents.photo.address;
  return image.decode().then(() => image);
}

/** Return the mean colour of each patch. */
export function patchColours(contents, image) {
  const { rows, cols } = contents;
  const canvas = new OffscreenCanvas(cols, rows);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, cols, rows);
  const { data } = context.getImageData(0, 0, cols, rows);
  const colours = [];
  for (let place = 0; place < data.length; place += 4) {
    colours.push(`rgb(${data[place]},${data[place + 1]},${data[place + 2]})`);
  }
  return colours;
}

/** Return the picture in grey, with the brightness that an eye sees in its colours (BT.601). */
export function greyOf(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const picture = context.getImageData(0, 0, image.width, image.height);
  const { data } = picture;
  for (let place = 0; place < data.length; place += 4) {
    const [red, green, blue] = data.subarray(place, place + 3);
    data.fill(0.299 * red + 0.587 * green + 0.114 * blue, place, place + 3);
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** Fit a canvas to its element's size on the screen, and return how large it is. */
function fit(canvas, contents) {
  const { width, height } = contents.photo ?? { width: contents.cols, height: contents.rows };
  const shown = canvas.clientWidth || 400;
  const ratio = window.devicePixelRatio || 1;
  canvas.style.aspectRatio = `${width} / ${height}`;
  canvas.width = Math.round(shown * ratio);
  canvas.height = Math.round((shown * ratio * height) / width);
  return { width: canvas.width, height: canvas.height };
}

/** Draw the photo and what is selected over it. */
export function drawPhoto(canvas, contents, state, { image, grey, theme, looks }) {
  const size = fit(canvas, contents);
  const context = canvas.getContext("2d");
  const ink = INK[theme];
  const pen = { context, contents, size, ink, image, grey };
  drawGround(pen);
  const flags = flagsNow(contents, state);
  const active = activeNodes(contents, state);
  if (flags) drawGone(pen, state, flags);
  else if (active.length) drawAttention(pen, state, active);
  else drawOverlay(pen, state, looks);
  for (const node of markedNodes(state)) outline(pen, node, state);
}

/** Draw how the heatmap has grown from the masks so far. */
export function drawGrowth(canvas, contents, state, { grey, theme }) {
  const size = fit(canvas, contents);
  const context = canvas.getContext("2d");
  const pen = { context, contents, size, ink: INK[theme], grey };
  const { values } = contents.masks.growth(state.mask, state.cls);
  drawHeat(pen, values);
}

function activeNodes(contents, state) {
  if (state.hovered >= 0) return [state.hovered];
  return pinsOf(state);
}

function markedNodes(state) {
  const pins = pinsOf(state);
  return state.hovered >= 0 ? [...pins, state.hovered] : pins;
}

function drawGround({ context, size, ink, image }) {
  context.fillStyle = ink.faint;
  context.fillRect(0, 0, size.width, size.height);
  if (image) context.drawImage(image, 0, 0, size.width, size.height);
}

/** Return left, top, width and height of a patch on the canvas, in whole pixels. */
function boxOf({ contents, size }, patch) {
  const { rows, cols } = contents;
  const col = patch % cols;
  const row = Math.floor(patch / cols);
  const left = Math.round((col * size.width) / cols);
  const top = Math.round((row * size.height) / rows);
  const right = Math.round(((col + 1) * size.width) / cols);
  const bottom = Math.round(((row + 1) * size.height) / rows);
  return [left, top, right - left, bottom - top];
}

function drawGone(pen, state, flags) {
  const { context, contents, ink } = pen;
  const isCurve = state.tab === "curves";
  // Such as "black" of "patch/black, 25 steps".
  const baseline = isCurve ? contents.curves.protocol.split(/[/,]/)[1] : undefined;
  // A mask takes tokens out of the sequence; a curve paints over them.
  context.fillStyle = GONE[baseline] ?? withAlpha(ink.ground, isCurve ? 1 : 0.86);
  flags.forEach((kept, patch) => {
    if (!kept) context.fillRect(...boxOf(pen, patch));
  });
}

function drawAttention(pen, state, nodes) {
  const { context, contents, size } = pen;
  const { nPrefix } = contents;
  const network = contents.networks[state.network];
  context.fillStyle = SHADE;
  context.fillRect(0, 0, size.width, size.height);
  for (const node of nodes) {
    for (const kind of ["sent", "received"]) {
      if (state.direction !== kind && state.direction !== "both") continue;
      const edges = network[kind].of(state.layer, node);
      const light = state.direction === "both" ? lightHalf : lightAll;
      for (const edge of edges) light(pen, edge.node - nPrefix, edge.share / edges[0].share, kind);
    }
  }
}

function lightAll(pen, patch, share, kind) {
  if (patch < 0) return;
  pen.context.fillStyle = lightOf(pen, share, kind);
  pen.context.fillRect(...boxOf(pen, patch));
}

/** Light up one half of a patch: the upper left for what is sent, the lower right for the rest. */
function lightHalf(pen, patch, share, kind) {
  if (patch < 0) return;
  const { context } = pen;
  const [left, top, width, height] = boxOf(pen, patch);
  const corner = kind === "sent" ? [left, top] : [left + width, top + height];
  context.beginPath();
  context.moveTo(...corner);
  context.lineTo(left + width, top);
  context.lineTo(left, top + height);
  context.closePath();
  context.fillStyle = lightOf(pen, share, kind);
  context.fill();
}

function lightOf({ ink }, share, kind) {
  return withAlpha(ink[kind], 0.15 + 0.75 * Math.sqrt(share));
}

function drawOverlay(pen, state, looks) {
  const { contents } = pen;
  if (state.overlay === "heatmap" && contents.classes) {
    drawHeat(pen, contents.classes.heatmap(state.cls));
  }
  if (state.overlay === "nodes") drawNodes(pen, state, looks);
}

/** Draw heat over the photo, which is turned grey so that every colour is heat. */
function drawHeat(pen, values) {
  const { context, contents, size, grey } = pen;
  const { rows, cols } = contents;
  const scale = heatScale(values);
  const small = new OffscreenCanvas(cols, rows);
  const smallContext = small.getContext("2d");
  const picture = smallContext.createImageData(cols, rows);
  values.forEach((value, patch) => {
    // What is missing is clear.
    if (!Number.isNaN(value)) picture.data.set(heatOf(value, scale), 4 * patch);
  });
  smallContext.putImageData(picture, 0, 0);
  drawGround({ ...pen, image: grey });
  context.imageSmoothingEnabled = contents.nPatches >= SMOOTH_FROM;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, size.width, size.height);
  context.imageSmoothingEnabled = true;
}

function drawNodes(pen, state, looks) {
  const { context, contents } = pen;
  context.globalAlpha = 0.7;
  for (let patch = 0; patch < contents.nPatches; patch += 1) {
    context.fillStyle = looks.colour(state.layer, patch + contents.nPrefix);
    context.fillRect(...boxOf(pen, patch));
  }
  context.globalAlpha = 1;
}

function outline(pen, node, state) {
  const { context, contents } = pen;
  const patch = node - contents.nPrefix;
  if (patch < 0) return;
  const [left, top, width, height] = boxOf(pen, patch);
  const line = Math.max(2, pen.size.width / 180);
  const pins = pinsOf(state);
  context.lineWidth = 2 * line;
  context.strokeStyle = "#000000";
  context.strokeRect(left, top, width, height);
  context.lineWidth = line;
  context.strokeStyle = "#ffffff";
  context.strokeRect(left, top, width, height);
  const place = pins.indexOf(node);
  if (place >= 0) badge(pen, left, top, "AB"[place]);
}

function badge({ context, size }, left, top, letter) {
  const side = Math.max(14, size.width / 26);
  context.fillStyle = "#ffffff";
  context.fillRect(left, Math.max(0, top - side), side, side);
  context.fillStyle = "#000000";
  context.font = `bold ${Math.round(side * 0.8)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(letter, left + side / 2, Math.max(0, top - side) + side / 2);
}

/** Return the node under the pointer, or -1. */
export function nodeAt(canvas, contents, event) {
  const box = canvas.getBoundingClientRect();
  const col = Math.floor(((event.clientX - box.left) / box.width) * contents.cols);
  const row = Math.floor(((event.clientY - box.top) / box.height) * contents.rows);
  const isInside = col >= 0 && row >= 0 && col < contents.cols && row < contents.rows;
  return isInside ? contents.nPrefix + row * contents.cols + col : -1;
}
