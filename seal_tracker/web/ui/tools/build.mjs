// Builds dist/: the page's script and style, MapLibre's worker as a file of its own (a strict content security policy
// allows no script made from text), the offline basemap, all under hashed names, each with a gzipped twin; and
// index.html, api.html (the API to read and try) and manifest.json, which name them.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { basemaps } from "./basemap.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const DIST = join(ROOT, "dist");
const GZIP_FROM_BYTES = 1024;
const require = createRequire(import.meta.url);
const read = (...path) => readFileSync(join(ROOT, ...path));

const manifest = {};

function write(path, content) {
  const bytes = Buffer.from(content);
  mkdirSync(dirname(join(DIST, path)), { recursive: true });
  writeFileSync(join(DIST, path), bytes);
  if (bytes.length >= GZIP_FROM_BYTES) writeFileSync(join(DIST, `${path}.gz`), gzipSync(bytes, { level: 9 }));
}

/** Writes a file under a name that changes with its content, so that browsers may keep it for ever. */
function writeHashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const extension = extname(name);
  const path = `assets/${basename(name, extension)}-${hash}${extension}`;
  write(path, content);
  manifest[name] = path;
  return path;
}

rmSync(DIST, { recursive: true, force: true });

const regions = JSON.parse(read("tools", "regions.json"));
const basemapPaths = {};
for (const [region, text] of Object.entries(basemaps(regions))) basemapPaths[region] = writeHashed(`basemap-${region}.json`, text);
writeHashed("icon.svg", read("src", "icon.svg"));
const worker = writeHashed("map-worker.js", readFileSync(require.resolve("maplibre-gl/dist/maplibre-gl-worker.mjs")));

const bundle = await build({
  absWorkingDir: ROOT,
  entryPoints: {
    page: "src/main.tsx",
    map: "styles/map.css",
    style: "styles/page.css",
    docs: "src/docs/docs.ts",
    api: "styles/api.css",
  },
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "linked",
  metafile: true,
  write: false,
  define: { BASEMAPS: JSON.stringify(basemapPaths), MAP_WORKER: JSON.stringify(worker) },
  logLevel: "warning",
});
for (const file of bundle.outputFiles) write(`assets/${basename(file.path)}`, file.contents);
for (const [path, { entryPoint }] of Object.entries(bundle.metafile.outputs)) {
  if (entryPoint === "src/main.tsx") manifest["page.js"] = path.slice("dist/".length);
  if (entryPoint === "styles/page.css") manifest["style.css"] = path.slice("dist/".length);
  if (entryPoint === "styles/map.css") manifest["map.css"] = path.slice("dist/".length);
  if (entryPoint === "src/docs/docs.ts") manifest["api.js"] = path.slice("dist/".length);
  if (entryPoint === "styles/api.css") manifest["api.css"] = path.slice("dist/".length);
}

/** Writes a page with the hashed names of what it loads. */
function writePage(name, source) {
  let html = read(...source).toString();
  for (const [asset, path] of Object.entries(manifest)) html = html.replaceAll(`{{${asset}}}`, path);
  write(name, html);
}
writePage("index.html", ["src", "index.html"]);
writePage("api.html", ["src", "docs", "api.html"]);
write("manifest.json", JSON.stringify(manifest, null, 2));
