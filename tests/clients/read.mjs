// Reads files as Gephi Lite does (`parse` with its options, `Graph.from` for JSON) and again strictly; prints one JSON object, a summary a file and way.
import { readFileSync } from "node:fs";
import Graph from "graphology";
import gexf from "graphology-gexf";
import graphml from "graphology-graphml";

const lenient = { addMissingNodes: true, allowUndeclaredAttributes: true };

const readers = {
  graphml: (text, strict) => graphml.parse(Graph, text, strict ? {} : { addMissingNodes: true }),
  gexf: (text, strict) => gexf.parse(Graph, text, strict ? {} : lenient),
  json: (text) => Graph.from(JSON.parse(text)),
};

function summary(graph) {
  const numbers = new Map(graph.nodes().map((key, i) => [key, i]));
  const edges = graph.mapEdges((key, attributes, source, target) => [numbers.get(source), numbers.get(target), attributes]);
  return {
    type: graph.type,
    multi: graph.multi,
    order: graph.order,
    size: graph.size,
    undirected: graph.undirectedSize,
    loops: graph.selfLoopCount,
    attributes: graph.getAttributes(),
    nodes: graph.mapNodes((key, attributes) => [key, attributes]),
    edges: {
      source: edges.map((edge) => edge[0]),
      target: edges.map((edge) => edge[1]),
      weight: edges.map((edge) => edge[2].weight),
      attention: edges.map((edge) => edge[2].attention ?? null),
      kind: edges.map((edge) => edge[2].kind ?? null),
    },
    ids: new Set(graph.edges()).size,
  };
}

const found = {};
for (const path of process.argv.slice(2)) {
  const text = readFileSync(path, "utf8");
  const read = readers[path.split(".").pop()];
  found[path] = { lenient: summary(read(text, false)), strict: summary(read(text, true)) };
}
process.stdout.write(JSON.stringify(found));
