// `backup create` of 100,000 profiles of 1 KB beside `aws dynamodb scan` of the same, against a server that costs next to nothing;
// its peak memory over 1,000,000; and what a second backup writes when nothing has changed. How long the AWS CLI takes hangs on
// the number of attributes, not on the bytes: the figure for items of one long string is printed too, without a bar.
// MAWPS_BENCH_ITEMS=20000 (and ten times as many as the larger table) and MAWPS_BENCH_RUNS make it shorter.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import {
  environment,
  mawps,
  median,
  peakMegabytes,
  report,
  root,
  run,
  serveStore,
  temporaryFolder,
  thinEnd,
} from "./measure.mjs";
import { profileTable } from "./profiles.mjs";

const aws = "/usr/bin/aws";
const fewer = Number(process.env.MAWPS_BENCH_ITEMS ?? 100_000);
const more = 10 * fewer;
const runs = Number(process.env.MAWPS_BENCH_RUNS ?? 3);
const bars = { scan: 1 / 12, memory: 1.3, second: 0.01 };

/** Wall time in seconds; what the command before left to be written to the disk is not counted. */
function timed([command, ...args], env) {
  spawnSync("sync");
  const options = { env: environment(env), cwd: root, stdio: ["ignore", "ignore", "pipe"] };
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, options);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
  return seconds;
}

function create(repository) {
  return [...mawps, "backup", "create", "--repo", repository, "--only", "tables", "--json"];
}

/** Median seconds of ours and of theirs, in turn. */
function speeds({ folder, env, endpoint }, times) {
  const scan = [aws, "dynamodb", "scan", "--table-name", profileTable, "--endpoint-url", endpoint];
  const ours = [];
  const theirs = [];
  const backUp = () => {
    const repository = join(folder, "repository-speed");
    const seconds = timed(create(repository), env);
    rmSync(repository, { recursive: true });
    return seconds;
  };
  // Warms the server and the compiled code up.
  backUp();
  for (let at = 0; at < times; at += 1) {
    ours.push(backUp());
    theirs.push(timed([...scan, "--output", "json"], env));
  }
  return { ours: median(ours), theirs: median(theirs) };
}

function speed(on, onFlat) {
  const perSecond = (seconds) => (fewer / seconds).toFixed(0);
  const { ours, theirs } = speeds(on, runs);
  const flat = speeds(onFlat, 1);
  console.log(
    `\nbackup, ${fewer} items of 1 KB (medians of ${runs}; load ${loadavg()[0].toFixed(1)}): items a second ` +
      `${perSecond(ours)}, aws dynamodb scan ${perSecond(theirs)}; of one string each ` +
      `${perSecond(flat.ours)} and ${perSecond(flat.theirs)}`,
  );
  report("time of backup create against aws dynamodb scan", ours / theirs, bars.scan);
}

/** Bytes that a first and then a second backup give the disk, everything on their way included. */
function twice({ folder, env }) {
  const repository = join(folder, "repository-twice");
  const options = `--require=${join(import.meta.dirname, "tell-written.cjs")}`;
  const file = join(folder, "written");
  const written = () => {
    const told = { ...env, NODE_OPTIONS: options, BENCH_WRITTEN_FILE: file };
    const { items } = JSON.parse(run(create(repository), told));
    if (items < fewer) throw new Error(`${items} of ${fewer} items are in the backup`);
    return Number(readFileSync(file, "utf8"));
  };
  const [first, second] = [written(), written()];
  rmSync(repository, { recursive: true });
  const kilobytes = (bytes) => (bytes / 1000).toFixed(0);
  console.log(`     kB written: ${kilobytes(first)} by the first, ${kilobytes(second)} by the second`);
  report("bytes written by a second backup against the first", second / first, bars.second);
}

function peak({ folder, env }) {
  const repository = join(folder, "repository-peak");
  const megabytes = peakMegabytes(create(repository), env);
  rmSync(repository, { recursive: true });
  return megabytes;
}

export async function backupExport() {
  const folder = temporaryFolder();
  const home = join(folder, "home");
  mkdirSync(home);
  run([...mawps, "setup", "--yes", "--quiet"], { MAWPS_HOME: join(folder, "store") });
  const served = await serveStore(join(folder, "store"));
  const few = await thinEnd("thin-dynamodb.mjs", served.endpoint, profileTable, fewer, "profile");
  const many = await thinEnd("thin-dynamodb.mjs", served.endpoint, profileTable, more, "profile");
  const flat = await thinEnd("thin-dynamodb.mjs", served.endpoint, profileTable, fewer, "flat");
  const on = ({ endpoint }) => ({
    folder,
    endpoint,
    env: { ...served.env, HOME: home, MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: endpoint },
  });
  try {
    if (existsSync(aws)) speed(on(few), on(flat));
    else console.log(`\nbackup: not against aws dynamodb scan, there is no ${aws}`);
    if (existsSync("/proc/self/io")) twice(on(few));
    const one = median([0, 1, 2].map(() => peak(on(few))));
    const other = peak(on(many));
    console.log(`     peaks over ${fewer} and ${more} items: ${one.toFixed(0)} and ${other.toFixed(0)} MB`);
    report("peak memory of backup create, the larger against the smaller", other / one, bars.memory);
  } finally {
    for (const thin of [few, many, flat]) thin.stop();
    await served.stop();
  }
}
