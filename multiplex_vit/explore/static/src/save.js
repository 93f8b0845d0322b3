// Saving: the photo and the network as one picture, in pixels or as a drawing.

import { drawOnCanvas } from "@sigma/export-image";
import { INK } from "./colours.js";
import { drawing } from "./dom.js";

const GAP = 16;

/** Offer a file to the user. */
function offer(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Return a canvas with the photo on the left and the drawings of the network on the right. */
export async function pictureOf(photo, drawings, theme) {
  const { ground } = INK[theme];
  const canvases = [];
  for (const sigma of drawings) canvases.push(await drawOnCanvas(sigma, { backgroundColor: ground }));
  const { height } = canvases[0];
  const parts = [photo, ...canvases].map((part) => ({
    part,
    width: Math.round((part.width * height) / part.height),
  }));
  const canvas = document.createElement("canvas");
  canvas.width = parts.reduce((sum, { width }) => sum + width + GAP, -GAP);
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, height);
  let left = 0;
  for (const { part, width } of parts) {
    context.drawImage(part, left, 0, width, height);
    left += width + GAP;
  }
  return canvas;
}

export async function savePng(photo, drawings, theme) {
  const canvas = await pictureOf(photo, drawings, theme);
  const blob = await new Promise((done) => {
    canvas.toBlob(done, "image/png");
  });
  offer("explorer.png", blob);
}

/** Return the view as the text of an SVG file. */
export function drawingOf(photo, drawings, theme) {
  const { height } = drawings[0].getDimensions();
  const side = (photo.width * height) / photo.height;
  const parts = [drawing("image", { href: photo.toDataURL("image/png"), width: side, height })];
  let left = side + GAP;
  for (const sigma of drawings) {
    const marks = [...edgesOf(sigma), ...nodesOf(sigma, theme)];
    parts.push(drawing("g", { transform: `translate(${left} 0)` }, marks));
    left += sigma.getDimensions().width + GAP;
  }
  const width = left - GAP;
  const ground = drawing("rect", { width: "100%", height: "100%", fill: INK[theme].ground });
  const frame = { width, height, viewBox: `0 0 ${width} ${height}` };
  return new XMLSerializer().serializeToString(drawing("svg", frame, [ground, ...parts]));
}

export function saveSvg(photo, drawings, theme) {
  const text = drawingOf(photo, drawings, theme);
  offer("explorer.svg", new Blob([text], { type: "image/svg+xml" }));
}

function placeOf(sigma, node) {
  const { x, y } = sigma.getNodeDisplayData(node);
  return sigma.framedGraphToViewport({ x, y });
}

function edgesOf(sigma) {
  const lines = [];
  sigma.getGraph().forEachEdge((edge, _, source, target) => {
    const look = sigma.getEdgeDisplayData(edge);
    if (look.hidden || sigma.getNodeDisplayData(source).hidden) return;
    const [from, to] = [placeOf(sigma, source), placeOf(sigma, target)];
    const line = drawing("line", {
      x1: from.x.toFixed(1),
      y1: from.y.toFixed(1),
      x2: to.x.toFixed(1),
      y2: to.y.toFixed(1),
      stroke: look.color,
      "stroke-width": Math.max(0.6, sigma.scaleSize(look.size)).toFixed(2),
    });
    lines.push([look.zIndex, line]);
  });
  return lines.sort((one, other) => one[0] - other[0]).map(([, line]) => line);
}

function nodesOf(sigma, theme) {
  const marks = [];
  sigma.getGraph().forEachNode((node) => {
    const look = sigma.getNodeDisplayData(node);
    if (look.hidden) return;
    const { x, y } = placeOf(sigma, node);
    if (look.label) {
      const text = { x: x.toFixed(1), y: y.toFixed(1), fill: INK[theme].text, "font-size": 13, text: look.label };
      marks.push([9, drawing("text", text)]);
      return;
    }
    const radius = sigma.scaleSize(look.size).toFixed(2);
    const circle = { cx: x.toFixed(1), cy: y.toFixed(1), r: radius, fill: look.color };
    marks.push([look.zIndex, drawing("circle", circle)]);
  });
  return marks.sort((one, other) => one[0] - other[0]).map(([, mark]) => mark);
}
