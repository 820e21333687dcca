// What a restore writes into a new table, out of the parts of a repository, against bare loops over BatchWriteItem from items in
// memory: 8 at a time on a server that costs next to nothing, and one at a time where each call takes 20 ms.
// MAWPS_BENCH_ITEMS and MAWPS_BENCH_RUNS make it shorter.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { environment, median, report, root, temporaryFolder, thinEnd } from "./measure.mjs";

const items = Number(process.env.MAWPS_BENCH_ITEMS ?? 100_000);
const runs = Number(process.env.MAWPS_BENCH_RUNS ?? 5);
/** Times of the restore against the loop's: at least 0.9 times its items a second, and 6 times. */
const bars = { eight: 1.11, one: 0.167 };

/** Median items a second of the restore and of the loop, in turn. */
function compare({ client, repository, endpoint }, loop, count) {
  const rates = { restore: [], [loop]: [] };
  for (let run = 0; run < runs; run += 1) {
    for (const how of [loop, "restore"]) {
      rmSync(repository, { recursive: true, force: true });
      mkdirSync(repository);
      const argv = [client, how, endpoint, repository, String(count)];
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
        env: environment({ AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" }),
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`${how} failed:\n${stderr}`);
      rates[how].push(Number(stdout));
    }
  }
  return { ours: median(rates.restore), theirs: median(rates[loop]) };
}

const shown = (rate) => Math.round(rate).toLocaleString("en");

export async function backupImport() {
  const folder = temporaryFolder();
  // Beside the packages, so that they are found.
  const client = join(root, "node_modules", ".cache", `import-client-${process.pid}.mjs`);
  process.once("exit", () => rmSync(client, { force: true }));
  await build({
    entryPoints: [join(import.meta.dirname, "import-client.ts")],
    outfile: client,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
  });
  const repository = join(folder, "repository");
  const cheap = await thinEnd("discard-dynamodb.mjs", 0);
  const eight = compare({ client, repository, endpoint: cheap.endpoint }, "8", items);
  cheap.stop();
  const far = await thinEnd("discard-dynamodb.mjs", 20);
  const one = compare({ client, repository, endpoint: far.endpoint }, "1", Math.ceil(items / 10));
  far.stop();
  console.log(
    `\nimport of ${items.toLocaleString("en")} items of 1 KB (medians of ${runs}): restore ${shown(eight.ours)} items/s, ` +
      `bare loop with 8 at a time ${shown(eight.theirs)}; with 20 ms of latency ${shown(one.ours)}, one at a time ${shown(one.theirs)}`,
  );
  report("backup import: time against 8 at a time", eight.theirs / eight.ours, bars.eight);
  report("backup import, 20 ms: time against one at a time", one.theirs / one.ours, bars.one);
}
