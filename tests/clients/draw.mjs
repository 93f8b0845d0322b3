// Makes an HTML page that draws a file as Gephi Lite does: node draw.mjs FILE PAGE [WIDTH HEIGHT].
// Positions and sizes are in one unit, a node has its size and colour, an edge its colour and, as its thickness, its weight.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Graph from "graphology";
import gexf from "graphology-gexf";
import graphml from "graphology-graphml";

const lenient = { addMissingNodes: true, allowUndeclaredAttributes: true };
const [file, page, width = "1600", height = "1100"] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const graph = file.endsWith(".gexf") ? gexf.parse(Graph, text, lenient) : graphml.parse(Graph, text, { addMissingNodes: true });

const nodes = graph.mapNodes((key, { x, y, size = 5, color = "#999" }) => ({ key, attributes: { x, y, size, color } }));
const edges = graph.mapEdges((key, { weight = 1, color = "#ccc" }, source, target) => ({
  source,
  target,
  attributes: { size: weight, color },
}));

const script = (name) => readFileSync(fileURLToPath(new URL(`node_modules/${name}`, import.meta.url)), "utf8");
writeFileSync(
  page,
  `<!doctype html><meta charset="utf-8"><style>body{margin:0;background:white}#net{width:${width}px;height:${height}px}</style><div id="net"></div>
<script>${script("graphology/dist/graphology.umd.min.js")}</script><script>${script("sigma/dist/sigma.min.js")}</script>
<script>
const graph = new graphology.MultiDirectedGraph();
graph.import(${JSON.stringify({ nodes, edges })});
new Sigma(graph, document.getElementById("net"), {
  itemSizesReference: "positions", zoomToSizeRatioFunction: (ratio) => ratio, autoRescale: true,
  renderLabels: false, stagePadding: 30,
});
</script>`,
);
