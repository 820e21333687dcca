import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePhoto } from "../../src/demo/photo.ts";

/** Of the whole process, Node included, in megabytes. */
const limitMegabytes = 300;
const run = promisify(execFile);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-memory-"));
  await writeFile(join(folder, "photo.jpg"), await makePhoto());
  await build({
    entryPoints: ["src/images/picture.ts"],
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["sharp"],
    outfile: join(folder, "picture.mjs"),
    logLevel: "error",
  });
  await symlink(join(import.meta.dirname, "../../node_modules"), join(folder, "node_modules"));
});

afterAll(() => rm(folder, { recursive: true }));

test.each([
  ["the hero picture", "renderJpeg(photo, { maxWidth: 2560, quality: 82 })"],
  [
    "all variants",
    "renderVariants(photo, { widths: [640, 1280, 1920], formats: ['webp', 'avif'], quality: 82 })",
  ],
])("%s of a 12-megapixel photo is made in bounded memory", async (_name, call) => {
  const script = `
    import { readFileSync } from "node:fs";
    import { renderJpeg, renderVariants } from "./picture.mjs";
    const photo = readFileSync("photo.jpg");
    await ${call};
    // What Linux calls the largest of a process is at least that of the one which began it.
    const own = process.platform === "linux" && /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
    console.log((own || process.resourceUsage().maxRSS) / 1024);`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: folder });
  expect(Number(stdout)).toBeGreaterThan(40);
  expect(Number(stdout)).toBeLessThan(limitMegabytes);
});
