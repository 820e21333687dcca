// `user list` of 100,000 accounts beside `aws cognito-idp list-users` on the same server, and its peak memory beside that of a tenth.
// MAWPS_BENCH_ACCOUNTS makes it smaller.
import { mawps, thinEnd } from "./measure.mjs";
import { besidePeer } from "./two-sizes.mjs";

const pool = "eu-central-1_Local0000";

export async function users() {
  await besidePeer({
    name: "user list",
    what: "accounts",
    more: Number(process.env.MAWPS_BENCH_ACCOUNTS ?? 100_000),
    command: [...mawps, "user", "list", "--json"],
    bar: 0.05,
    behind: async ({ endpoint }, accounts) => ({
      ...(await thinEnd("thin-accounts.mjs", endpoint, accounts)),
      env: { MAWPS_USER_POOL_ID: pool },
    }),
    counted: (printed) => printed.trimEnd().split("\n").length,
    theirs: ["cognito-idp", "list-users", "--user-pool-id", pool],
  });
}
