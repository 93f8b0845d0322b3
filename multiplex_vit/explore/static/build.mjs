// Builds explorer.js from src and the libraries that package-lock.json names: npm ci && npm run build.
// built.json records what it was built from, so that a test can tell a bundle that is out of date.
// It is written here, or into the folder that is given: node build.mjs FOLDER.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const LIBRARIES = ["@sigma/export-image", "file-saver", "graphology", "graphology-layout-forceatlas2", "graphology-utils", "events", "sigma"];
const OUT = process.argv[2] ?? ".";
const BUNDLE = `${OUT}/explorer.js`;

const digest = (content) => createHash("sha256").update(content).digest("hex");

const { metafile } = await build({
  entryPoints: ["src/main.js"],
  outfile: BUNDLE,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  metafile: true,
});

const inside = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const found = path.match(/^node_modules\/((@[^/]+\/)?[^/]+)/);
  if (found) inside.add(found[1]);
}
const missing = [...inside].filter((name) => !LIBRARIES.includes(name));
if (missing.length) throw new Error(`add the licences of ${missing.join(", ")}`);

const versions = {};
const notices = [];
for (const name of [...inside].sort()) {
  const facts = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const file = readdirSync(`node_modules/${name}`).find((each) => /^licen[cs]e/i.test(each));
  versions[name] = facts.version;
  const text = readFileSync(`node_modules/${name}/${file}`, "utf8").trim();
  notices.push(`${name} ${facts.version} (${facts.license})\n\n${text}\n`);
}
writeFileSync(`${OUT}/LICENCES.txt`, notices.join(`\n${"-".repeat(72)}\n\n`));

const sources = {};
for (const file of readdirSync("src").sort()) sources[`src/${file}`] = digest(readFileSync(`src/${file}`));
const built = {
  libraries: versions,
  sources,
  bundle: digest(readFileSync(BUNDLE)),
};
writeFileSync(`${OUT}/built.json`, `${JSON.stringify(built, null, 2)}\n`);
