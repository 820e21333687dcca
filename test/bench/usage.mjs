// `storage usage` of 1,000,000 objects beside `aws s3 ls --recursive --summarize` on the same server, and its peak memory beside that
// of a tenth. MAWPS_BENCH_OBJECTS makes it smaller.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  environment,
  inTurn,
  mawps,
  median,
  peakMegabytes,
  report,
  root,
  serveStore,
  temporaryFolder,
  thinEnd,
} from "./measure.mjs";

const bucket = "mawps-user-files-1760106396";
const more = Number(process.env.MAWPS_BENCH_OBJECTS ?? 1_000_000);
const fewer = more / 10;
const aws = "/usr/bin/aws";
const usage = [...mawps, "storage", "usage", "--json", "--no-record"];

/** A listing of so many objects in front of a served store. */
async function listed(served, objects) {
  const end = await thinEnd("thin-listing.mjs", served.endpoint, bucket, objects);
  return { ...end, env: { ...served.env, MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: end.endpoint } };
}

function assertCounted({ env }, objects) {
  const { stdout, stderr, status } = spawnSync(usage[0], usage.slice(1), {
    env: environment(env),
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  const { files } = JSON.parse(stdout);
  if (files.objects.count !== objects) throw new Error(`${files.objects.count} of ${objects} were counted`);
}

export async function usageOfObjects() {
  const home = join(temporaryFolder(), "store");
  spawnSync(mawps[0], [mawps[1], "setup", "--yes", "--quiet"], { env: environment({ MAWPS_HOME: home }) });
  const served = await serveStore(home);
  const few = await listed(served, fewer);
  const many = await listed(served, more);
  try {
    assertCounted(few, fewer);
    assertCounted(many, more);
    const [one, other] = [few, many].map(({ env }) => median([0, 1, 2].map(() => peakMegabytes(usage, env))));
    console.log(
      `\nstorage usage, ${fewer} and ${more} objects (peaks ${one.toFixed(0)} and ${other.toFixed(0)} MB)`,
    );
    report("peak memory of storage usage, the larger against the smaller", other / one, 1.3);
    if (!existsSync(aws)) return;
    const ls = [
      aws,
      "--endpoint-url",
      many.endpoint,
      "s3",
      "ls",
      `s3://${bucket}`,
      "--recursive",
      "--summarize",
    ];
    const times = inTurn({ usage: { command: usage, env: many.env }, ls: { command: ls, env: many.env } }, 1);
    report("time of storage usage against aws s3 ls --recursive", times.usage / times.ls, 0.25);
  } finally {
    few.stop();
    many.stop();
    await served.stop();
  }
}
