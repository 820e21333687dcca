// `report` of 100,000 users, each with a document and progress, and as many files and accounts: its peak memory and the size of the page.
// MAWPS_BENCH_USERS makes it smaller.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  mawps,
  median,
  peakMegabytes,
  report,
  run,
  serveStore,
  temporaryFolder,
  thinEnd,
} from "./measure.mjs";
import { profileTable } from "./profiles.mjs";

const bucket = "mawps-user-files-1760106396";
const pool = "eu-central-1_Local0000";
const users = Number(process.env.MAWPS_BENCH_USERS ?? 100_000);
const bars = { peakMegabytes: 300, pageMegabytes: 1 };

export async function reportOfUsers() {
  const folder = temporaryFolder();
  const home = join(folder, "store");
  run([...mawps, "setup", "--yes", "--quiet"], { MAWPS_HOME: home });
  const served = await serveStore(home);
  const ends = [];
  const before = async (script, ...args) => {
    const end = await thinEnd(script, ends.at(-1)?.endpoint ?? served.endpoint, ...args);
    ends.push(end);
    return end.endpoint;
  };
  try {
    await before("thin-accounts.mjs", users);
    await before("thin-listing.mjs", bucket, users);
    const endpoint = await before("thin-dynamodb.mjs", profileTable, users, "profile");
    const env = {
      ...served.env,
      MAWPS_HOME: home,
      MAWPS_TARGET: "aws",
      MAWPS_USER_POOL_ID: pool,
      AWS_ENDPOINT_URL: endpoint,
    };
    const page = join(folder, "report.html");
    const command = [...mawps, "report", "--overwrite", "-o"];
    run([...command, join(folder, "report.json")], env);
    const { people } = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
    if (people.statistics.users !== users)
      throw new Error(`${people.statistics.users} of ${users} users were counted`);
    const peak = median([0, 1, 2].map(() => peakMegabytes([...command, page], env)));
    console.log(`\nreport of ${users} users`);
    report("peak memory of report", peak, bars.peakMegabytes, "MB");
    report("the page of report", statSync(page).size / 1e6, bars.pageMegabytes, "MB");
  } finally {
    for (const end of ends.toReversed()) end.stop();
    await served.stop();
  }
}
