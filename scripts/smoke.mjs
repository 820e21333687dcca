// Whether the built binary works on the Node that runs this: .ci/run calls it with each supported version beside its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = join(import.meta.dirname, "..", "bin", "mawps.js");
const folder = mkdtempSync(join(tmpdir(), "mawps-smoke-"));
const begunMs = performance.now();

function mawps(...args) {
  const env = { PATH: process.env.PATH, HOME: folder, MAWPS_HOME: join(folder, "demo", "store") };
  const { status, stdout, stderr } = spawnSync(process.execPath, [binary, ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
    timeout: 600_000,
  });
  assert.equal(status, 0, `mawps ${args.join(" ")}\n${stdout}${stderr}`);
  // Node tells of what it will take away, and of what is still on trial.
  assert.doesNotMatch(stderr, /\(node:\d+\)/, `mawps ${args.join(" ")}`);
  return stdout;
}

try {
  mawps("demo", "--keep", "demo");
  mawps("hero", "set", "demo/evening.jpg", "--max-width", "400");
  assert.match(mawps("hero", "show", "--json"), /"profileImageDefault":"http/);
  const letter = join(folder, "demo", "Lebenslauf.pdf");
  mawps("doc", "upload", "someone", letter, "--type", "cv", "--create-profile");
  mawps("doc", "get", "someone", "--all", "--output", "got");
  const [got] = readdirSync(join(folder, "got"));
  assert.deepEqual(readFileSync(join(folder, "got", got)), readFileSync(letter));
  mawps("backup", "create");
  mawps("backup", "verify", "latest");
  mawps("audit", "verify");
  console.log(`ok   Node ${process.versions.node} (${Math.round(performance.now() - begunMs)} ms)`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
