import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { TestHome } from "./world.ts";

/** Command lines in processes of their own that die by SIGKILL at a given step. */
export interface Mortal {
  /**
   * The steps that the process told of, up to the one at which it died, which is the `fatal`-th (0: never), or with `mortal-calls` the
   * first of that name; "acknowledged" last if it came to its end.
   * @throws Error of a process that came to no step at all: it died of itself.
   */
  die(
    home: TestHome,
    fatal: number | string,
    argv: readonly string[],
    env?: Record<string, string>,
  ): Promise<string[]>;
  remove(): Promise<void>;
}

/**
 * `mortal-calls.ts` counts the writing calls to the services, `mortal-writes.ts` the changes in the folder `repository` of the home.
 * Bundled with all that is not native, so that a process starts in half the time.
 */
export async function buildMortal(program: "mortal-calls" | "mortal-writes"): Promise<Mortal> {
  // Beside the packages, so that the native ones are found.
  const cache = join(import.meta.dirname, "../../node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const built = await mkdtemp(join(cache, "mortal-"));
  await build({
    entryPoints: [join(import.meta.dirname, `${program}.ts`)],
    outdir: built,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20.19",
    format: "esm",
    mainFields: ["module", "main"],
    external: ["classic-level", "sharp", "level", "memory-level"],
    // As scripts/build.mjs: what travels with models.
    loader: { ".sql": "text" },
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "silent",
  });
  return {
    die: (home, fatal, argv, env = {}) =>
      new Promise((resolve, reject) => {
        execFile(
          process.execPath,
          [join(built, `${program}.mjs`), home.folder, String(fatal), ...argv],
          { cwd: home.folder, env: { ...process.env, ...env } },
          (error, stdout) => {
            const steps = stdout.split("\n").filter((line) => line !== "");
            if (steps.length > 0) resolve(steps);
            else reject(error ?? new Error("the process came to no step"));
          },
        );
      }),
    remove: () => rm(built, { recursive: true, force: true }),
  };
}
