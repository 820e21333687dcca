// `user list` of 100,000 accounts beside `aws cognito-idp list-users` on the same server, and its peak memory beside that of a tenth.
// MAWPS_BENCH_ACCOUNTS makes it smaller.
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

const more = Number(process.env.MAWPS_BENCH_ACCOUNTS ?? 100_000);
const fewer = more / 10;
const pool = "eu-central-1_Local0000";
const aws = "/usr/bin/aws";
const list = [...mawps, "user", "list", "--json"];

/** A pool of so many accounts in front of a served store. */
async function filled(served, accounts) {
  const end = await thinEnd("thin-accounts.mjs", served.endpoint, accounts);
  const env = { MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: end.endpoint, MAWPS_USER_POOL_ID: pool };
  return { ...end, env: { ...served.env, ...env } };
}

function assertListed({ env }, accounts) {
  const { stdout, stderr, status } = spawnSync(list[0], list.slice(1), {
    env: environment(env),
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1024 ** 3,
  });
  if (status !== 0) throw new Error(stderr);
  const lines = stdout.trimEnd().split("\n").length;
  if (lines !== accounts) throw new Error(`${lines} of ${accounts} accounts were listed`);
}

export async function users() {
  const home = join(temporaryFolder(), "store");
  spawnSync(mawps[0], [mawps[1], "setup", "--yes", "--quiet"], { env: environment({ MAWPS_HOME: home }) });
  const served = await serveStore(home);
  const few = await filled(served, fewer);
  const many = await filled(served, more);
  try {
    assertListed(few, fewer);
    assertListed(many, more);
    const [one, other] = [few, many].map(({ env }) => median([0, 1, 2].map(() => peakMegabytes(list, env))));
    console.log(
      `\nuser list, ${fewer} and ${more} accounts (peaks ${one.toFixed(0)} and ${other.toFixed(0)} MB)`,
    );
    report("peak memory of user list, the larger against the smaller", other / one, 1.3);
    if (!existsSync(aws)) return;
    const theirs = [
      aws,
      "--endpoint-url",
      many.endpoint,
      "cognito-idp",
      "list-users",
      "--user-pool-id",
      pool,
    ];
    const commands = { ours: { command: list, env: many.env }, theirs: { command: theirs, env: many.env } };
    const times = inTurn(commands, 1);
    report("time of user list against aws cognito-idp list-users", times.ours / times.theirs, 0.05);
  } finally {
    few.stop();
    many.stop();
    await served.stop();
  }
}
