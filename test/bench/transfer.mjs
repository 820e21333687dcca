// 1 GiB up and down through src/aws and by `aws s3 cp`, in turn, against a server that throws away or makes up the
// bytes. MAWPS_BENCH_MIB makes it smaller, MAWPS_BENCH_RUNS shorter.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeSync, openSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { build } from "esbuild";
import { median, report, thinEnd } from "./measure.mjs";

const runs = Number(process.env.MAWPS_BENCH_RUNS ?? 10);
const sizeMiB = Number(process.env.MAWPS_BENCH_MIB ?? 1024);
const bars = { wall: 0.6, cpu: 0.6, peakMB: 150 };

// Wall and CPU time and peak memory of a child with all its threads: Node tells no rusage of its children, and
// wherever `aws` runs there is a Python.
const measured = `
import json, resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"code": code, "wall": wall, "cpu": used.ru_utime + used.ru_stime, "peakMB": used.ru_maxrss / 1024}))
`;

const folder = mkdtempSync(join(tmpdir(), "mawps-bench-"));
const source = join(folder, "source");
const target = join(folder, "target");
const client = join(folder, "client.mjs");
const environment = {
  PATH: process.env.PATH,
  HOME: folder,
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
  AWS_DEFAULT_REGION: "eu-central-1",
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};

/** The bytes that the server makes up, so that what goes up and what comes down is the same. */
function writeSource() {
  const block = Buffer.alloc(1024 ** 2, "mawps ");
  const file = openSync(source, "w");
  let crc = 0;
  for (let mebibyte = 0; mebibyte < sizeMiB; mebibyte++) {
    writeSync(file, block);
    crc = crc32(block, crc);
  }
  closeSync(file);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}

function run(command) {
  // Nobody pays for what the one before left to be written to the disk.
  rmSync(target, { force: true });
  spawnSync("sync");
  const child = spawnSync("python3", ["-c", measured, ...command], { env: environment, encoding: "utf8" });
  const result = JSON.parse(child.stdout);
  if (result.code !== 0) throw new Error(`${command.join(" ")} failed:\n${child.stderr}`);
  return result;
}

function compare(name, ours, theirs) {
  const all = { ours: [], theirs: [] };
  for (let turn = 0; turn < runs; turn++) {
    all.theirs.push(run(theirs));
    all.ours.push(run(ours));
  }
  const of = (who, what) => median(all[who].map((result) => result[what]));
  const wall = of("ours", "wall") / of("theirs", "wall");
  const cpu = of("ours", "cpu") / of("theirs", "cpu");
  const peakMB = of("ours", "peakMB");
  console.log(
    `\n${name} (medians of ${runs}; aws s3 cp: ${of("theirs", "wall").toFixed(2)} s, ` +
      `CPU ${of("theirs", "cpu").toFixed(2)} s, peak ${of("theirs", "peakMB").toFixed(0)} MB)`,
  );
  report(`${name}: wall against aws s3 cp`, wall, bars.wall);
  report(`${name}: CPU against aws s3 cp`, cpu, bars.cpu);
  report(`${name}: peak memory`, peakMB, bars.peakMB, "MB");
}

export async function transfer() {
  try {
    await bundleClient();
    const server = await thinEnd("discard-server.mjs", sizeMiB * 1024 ** 2, writeSource());
    const aws = ["/usr/bin/aws", "--endpoint-url", server.endpoint, "s3", "cp", "--quiet"];
    const ours = [process.execPath, client];
    const up = [...ours, "up", source, server.endpoint];
    compare(`${sizeMiB} MiB up`, up, [...aws, source, "s3://bench/file"]);
    const down = [...ours, "down", target, server.endpoint];
    compare(`${sizeMiB} MiB down`, down, [...aws, "s3://bench/file", target]);
    server.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundleClient() {
  await build({
    entryPoints: [join(import.meta.dirname, "transfer-client.ts")],
    outfile: client,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    mainFields: ["module", "main"],
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
}
