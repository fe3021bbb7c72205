// Bundles what runs in the browser: `node build.mjs FOLDER`, which tools/console.py calls.
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const TO = process.argv[2];

const { metafile, outputFiles } = await build({
  entryPoints: { console: "src/main.tsx", style: "src/style/main.css" },
  outdir: TO,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  minify: true,
  metafile: true,
  write: false, // what was there stays where this fails
  legalComments: "none", // LICENCES.txt has the licences whole
  chunkNames: "[name]-[hash]",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".png": "file", ".svg": "file" },
  assetNames: "[name]-[hash]",
  logLevel: "warning",
}).catch(() => process.exit(1)); // esbuild has said why

// The licence of every package of which something is in the bundle.
const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const found = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
let licences = "";
for (const name of [...packages].sort()) {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const file = (await readdir(folder)).find((one) => /^licen[cs]e(\.|$)/i.test(one));
  if (!file) throw new Error(`${name} has no file with its licence`);
  const text = (await readFile(`${folder}/${file}`, "utf8")).trim();
  licences += `${name} ${version} (${license})\n\n${text}\n\n${"-".repeat(80)}\n\n`;
}
await rm(TO, { recursive: true, force: true });
await mkdir(TO, { recursive: true });
for (const file of outputFiles) await writeFile(file.path, file.contents);
await writeFile(`${TO}/LICENCES.txt`, licences);
await copyFile("src/icon.svg", `${TO}/icon.svg`);
