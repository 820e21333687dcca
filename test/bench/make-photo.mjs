// Writes a photo of the demo's to the path given (and of the width, height and seed given); bundled on the fly, since Node 20 runs no TypeScript.
import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";
import { root } from "./measure.mjs";

// Beside the packages, so that the bundle finds sharp.
const outfile = join(root, "node_modules", ".cache", "mawps-photo.cjs");
await build({
  entryPoints: [join(root, "src", "demo", "photo.ts")],
  outfile,
  bundle: true,
  format: "cjs",
  platform: "node",
  external: ["sharp"],
});
const [path, ...numbers] = process.argv.slice(2);
const [width, height, seed] = numbers.map(Number);
const options = width === undefined ? {} : { width, height, seed };
writeFileSync(path, await createRequire(import.meta.url)(outfile).makePhoto(options));
