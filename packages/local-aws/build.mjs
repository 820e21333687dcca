// Makes dist: one module for whoever installs the package, and its types. The dependencies stay packages of their own.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/index.ts"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  sourcemap: true,
  logLevel: "warning",
});
const types = spawnSync("npx", ["tsc", "-p", "tsconfig.json"], {
  stdio: "inherit",
  shell: process.platform === "win32",
});
process.exitCode = types.status ?? 1;
