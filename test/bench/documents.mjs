// 200 documents of 1 MB up and down, against `aws s3 cp --recursive`, with the objects on a server that costs next to nothing and
// entries and audit trail, which only ours writes, on a served store. Then a document of 1 GiB, and `doc list --all` over many
// users. MAWPS_BENCH_RUNS, MAWPS_BENCH_MIB and MAWPS_BENCH_USERS make it shorter.
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import {
  environment,
  mawps,
  median,
  peakMegabytes,
  report,
  root,
  serveStore,
  temporaryFolder,
  thinEnd,
} from "./measure.mjs";
import { servedProfiles } from "./profiles.mjs";

const aws = "/usr/bin/aws";
const runs = Number(process.env.MAWPS_BENCH_RUNS ?? 5);
const sizeMiB = Number(process.env.MAWPS_BENCH_MIB ?? 1024);
const more = Number(process.env.MAWPS_BENCH_USERS ?? 100_000);
const fewer = more >= 100_000 ? 10_000 : Math.round(more / 5);
const files = 200;
const fileBytes = 1_000_000;
const bars = { upload: 0.8, get: 0.6, aboveIdleMB: 150, list: 1.3 };
const block = Buffer.alloc(1024 ** 2, "mawps ");

/**
 * Wall time in seconds. What the command before left to be written to the disk is not counted; nor is the first touch of a
 * virtual machine's memory, which takes longer than the copying: the page cache has just held, and let go, as much.
 */
function timed([command, ...args], { env, folder }) {
  const warm = join(folder, "warm");
  writeBlocks(warm, 700);
  spawnSync("sync");
  rmSync(warm);
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, {
    env: environment(env),
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${String(stderr)}`);
  return seconds;
}

function writeBlocks(path, mebibytes) {
  const file = openSync(path, "w");
  for (let mebibyte = 0; mebibyte < mebibytes; mebibyte += 1) writeSync(file, block);
  closeSync(file);
}

/** Text, so that name and content agree; each file another one, so that none is there already. */
function writeFiles(folder) {
  mkdirSync(folder);
  for (let number = 0; number < files; number += 1) {
    const text = randomBytes(fileBytes / 2).toString("hex");
    writeFileSync(join(folder, `document-${String(number).padStart(3, "0")}.txt`), text);
  }
}

function upload(userId, paths) {
  const options = ["--type", "cv", "--create-profile", "--no-scan"];
  return [...mawps, "doc", "upload", userId, ...paths, ...options];
}

function manyFiles({ folder, env, endpoint }) {
  const source = join(folder, "source");
  writeFiles(source);
  const names = Array.from({ length: files }, (_, number) =>
    join(source, `document-${String(number).padStart(3, "0")}.txt`),
  );
  const copy = [aws, "--endpoint-url", endpoint, "s3", "cp", "--quiet", "--recursive"];
  const bucket = "s3://mawps-user-files-1760106396/bench";
  const times = { up: [], awsUp: [], down: [], awsDown: [] };
  const there = { env, folder };
  // The first run warms the server up.
  for (let run = -1; run < runs; run += 1) {
    const userId = `bench-${run + 1}`;
    const target = join(folder, `ours-${run}`);
    const awsTarget = join(folder, `theirs-${run}`);
    const measured = {
      awsUp: timed([...copy, source, `${bucket}/${run}`], there),
      up: timed(upload(userId, names), there),
      awsDown: timed([...copy, `${bucket}/${run}`, awsTarget], there),
      down: timed([...mawps, "doc", "get", userId, "--all", "-o", target], there),
    };
    if (run >= 0) for (const [name, seconds] of Object.entries(measured)) times[name].push(seconds);
    rmSync(target, { recursive: true });
    rmSync(awsTarget, { recursive: true });
  }
  const of = (name) => median(times[name]);
  console.log(
    `\ndocuments (medians of ${runs}, ${files} of 1 MB; aws s3 cp: up ${of("awsUp").toFixed(2)} s, ` +
      `down ${of("awsDown").toFixed(2)} s)`,
  );
  report("doc upload, entries and audit included, against aws s3 cp", of("up") / of("awsUp"), bars.upload);
  report("doc get --all against aws s3 cp", of("down") / of("awsDown"), bars.get);
}

/** Idle is a process that has read the help of the same command. */
function oneLarge({ folder, env }) {
  const large = join(folder, "large.txt");
  writeBlocks(large, sizeMiB);
  const limit = { MAWPS_MAX_DOCUMENT_BYTES: String(2 * sizeMiB * 1024 ** 2) };
  const idle = peakMegabytes([...mawps, "doc", "upload", "--help"], env);
  const peak = peakMegabytes(upload("large", [large]), { ...env, ...limit });
  rmSync(large);
  report(`peak memory above idle, a document of ${sizeMiB} MiB`, peak - idle, bars.aboveIdleMB, "MB");
}

function profile(number) {
  const userId = `user-${String(number).padStart(6, "0")}`;
  const documents = [0, 1, 2].map((at) => ({
    M: {
      id: { S: `doc-${at}` },
      name: { S: "Lebenslauf.pdf" },
      type: { S: "cv" },
      s3Key: { S: `public/documents/${userId}/cv/1700000000000-${at}.pdf` },
      size: { N: "245678" },
      uploadedAt: { S: "2026-01-01T00:00:00.000Z" },
      status: { S: "READY" },
    },
  }));
  return { userId: { S: userId }, type: { S: "user-profile" }, documents: { L: documents } };
}

async function list() {
  const command = [...mawps, "doc", "list", "--all", "--json"];
  const few = await servedProfiles(fewer, profile);
  const many = await servedProfiles(more, profile);
  try {
    const peaks = (env) => median([0, 1, 2].map(() => peakMegabytes(command, env)));
    const [one, other] = [peaks(few.env), peaks(many.env)];
    console.log(
      `\n${fewer} and ${more} users with 3 documents (peaks ${one.toFixed(0)} and ${other.toFixed(0)} MB)`,
    );
    report("peak memory of doc list --all, the larger against the smaller", other / one, bars.list);
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}

export async function documents() {
  const folder = temporaryFolder();
  const served = await serveStore(join(folder, "store"));
  const thin = await thinEnd("thin-s3.mjs", served.endpoint);
  const thinEnv = { ...served.env, MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: thin.endpoint };
  const servedEnv = { ...thinEnv, AWS_ENDPOINT_URL: served.endpoint };
  try {
    if (existsSync(aws)) manyFiles({ folder, env: thinEnv, endpoint: thin.endpoint });
    else console.log(`\ndocuments: not against aws s3 cp, there is no ${aws}`);
    oneLarge({ folder, env: servedEnv });
  } finally {
    thin.stop();
    await served.stop();
  }
  await list();
}
