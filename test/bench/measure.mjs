// What every bench shares: commands in turn in one run, medians, ratios, and a bar that each must stay under.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "..", "..");
export const mawps = [process.execPath, join(root, "bin", "mawps.js")];

/** The environment of the measured commands: what slows every start of Node is taken out. */
export function environment(extra = {}) {
  const { NODE_EXTRA_CA_CERTS: _certs, NODE_OPTIONS: _options, ...env } = process.env;
  return { ...env, AWS_EC2_METADATA_DISABLED: "true", ...extra };
}

export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "mawps-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Wall time of one run in ms. A command that fails ends the bench: a quick failure is no good time. */
function once([command, ...args], env) {
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, {
    env,
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ms = Number(process.hrtime.bigint() - started) / 1e6;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${String(stderr)}`);
  return ms;
}

/** What a command prints. One that fails ends the bench. */
export function run([command, ...args], env) {
  const options = { env: environment(env), cwd: root, encoding: "utf8", maxBuffer: 1024 ** 3 };
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
  return stdout;
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/**
 * Runs the commands in turn, `runs` times, and returns the median ms of each by name.
 * @param {Record<string, { command: string[], env?: Record<string, string> }>} commands
 */
export function inTurn(commands, runs) {
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let run = -2; run < runs; run += 1) {
    for (const [name, { command, env }] of Object.entries(commands)) {
      const ms = once(command, environment(env));
      if (run >= 0) times[name].push(ms);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
}

/** Peak resident memory of a Node command in MB, told by the process itself as it ends. */
export function peakMegabytes(command, env) {
  return told(command, env).peakMegabytes;
}

/** What a Node command tells of itself as it ends: peak resident memory, seconds of all its threads on a core. */
export function told([command, ...args], env) {
  const file = join(temporaryFolder(), "peak");
  const options = `--require=${join(here, "tell-peak.cjs")}`;
  const telling = environment({ ...env, NODE_OPTIONS: options, BENCH_PEAK_FILE: file });
  const { status, stderr } = spawnSync(command, args, {
    env: telling,
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${String(stderr)}`);
  const [kilobytes, microseconds] = readFileSync(file, "utf8").split(" ").map(Number);
  return { peakMegabytes: kilobytes / 1024, coreSeconds: microseconds / 1e6 };
}

let missed = 0;

/** Prints one measured figure beside its bar; `npm run bench` fails when a bar is missed. */
export function report(what, value, bar, unit = "x") {
  const ok = value <= bar;
  if (!ok) missed += 1;
  console.log(
    `${ok ? "ok  " : "MISS"} ${what.padEnd(58)} ${value.toFixed(2).padStart(8)} ${unit.padEnd(3)} (bar ${bar})`,
  );
}

export function missedBars() {
  return missed;
}

/** A program of this folder that fills a store, built beside the packages, so that the native ones are found. */
export async function buildFiller(name) {
  const outfile = join(root, "node_modules", ".cache", "mawps-bench", `${name}.mjs`);
  mkdirSync(dirname(outfile), { recursive: true });
  await build({
    entryPoints: [join(here, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    external: ["classic-level", "sharp", "level", "memory-level"],
    loader: { ".sql": "text" },
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
  return outfile;
}

/** Starts `mawps local serve` on a store and waits for its line. */
export async function serveStore(home) {
  const child = spawn(mawps[0], [mawps[1], "local", "serve", "--port", "0", "--json"], {
    env: environment({ MAWPS_HOME: home }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  const served = JSON.parse(text);
  return {
    ...served,
    env: {
      AWS_ACCESS_KEY_ID: served.accessKeyId,
      AWS_SECRET_ACCESS_KEY: served.secretAccessKey,
      AWS_REGION: served.region,
      AWS_DEFAULT_REGION: served.region,
    },
    async stop() {
      const ended = new Promise((done) => void child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Starts a server of this folder that prints its port and ends with its parent. */
export async function thinEnd(script, ...args) {
  const child = spawn(process.execPath, [join(here, script), ...args.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = await new Promise((resolve, reject) => {
    child.stdout.once("data", (data) => resolve(String(data).trim()));
    child.once("exit", () => reject(new Error(`${script} did not start`)));
  });
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => child.stdin.end() };
}
