import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { TestHome } from "../support/world.ts";

/** Command lines in processes of their own that die at a given step. */
export interface Mortal {
  /** The writing calls before and after which the process counted, to the one at which it died; "acknowledged" last if it did not. */
  die(home: TestHome, fatal: number, argv: readonly string[]): Promise<string[]>;
  remove(): Promise<void>;
}

export async function buildMortal(): Promise<Mortal> {
  // Beside the packages, so that the native ones are found.
  const cache = join(import.meta.dirname, "../../node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const built = await mkdtemp(join(cache, "mortal-"));
  await build({
    entryPoints: [join(import.meta.dirname, "crash-child.ts")],
    outdir: built,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
  });
  return {
    die: (home, fatal, argv) =>
      new Promise((resolve) => {
        execFile(
          process.execPath,
          [join(built, "crash-child.mjs"), join(home.folder, "store"), String(fatal), ...argv],
          { cwd: home.folder },
          (_error, stdout) => resolve(stdout.split("\n").filter((line) => line !== "")),
        );
      }),
    remove: () => rm(built, { recursive: true, force: true }),
  };
}
