// Writes the demo's 12-megapixel photo to the path given; bundled on the fly, since Node 20 runs no TypeScript.
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
writeFileSync(process.argv[2], await createRequire(import.meta.url)(outfile).makePhoto());
