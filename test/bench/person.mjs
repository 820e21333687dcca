// `user erase` of a person with 1,000 documents in three versions each, by its delete calls; and `user export` of one with 1 GiB of documents
// beside `aws s3 cp --recursive` of the same files. MAWPS_BENCH_DOCUMENTS and MAWPS_BENCH_MIB make them smaller.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  buildFiller,
  mawps,
  median,
  peakMegabytes,
  report,
  run,
  serveStore,
  temporaryFolder,
} from "./measure.mjs";

const documents = Number(process.env.MAWPS_BENCH_DOCUMENTS ?? 1000);
const mebibytes = Number(process.env.MAWPS_BENCH_MIB ?? 1024);
const runs = Number(process.env.MAWPS_BENCH_RUNS ?? 3);
const person = "user-000001";
const bucket = "mawps-user-files-1760106396";
const aws = "/usr/bin/aws";

/** A served store with the person; the tool works on it as on AWS. */
async function filled(...amounts) {
  const filler = await buildFiller("fill-person");
  const home = join(temporaryFolder(), "store");
  run([...mawps, "setup", "--yes", "--quiet"], { MAWPS_HOME: home });
  const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
  run([process.execPath, filler, home, ...amounts.map(String)], quiet);
  const served = await serveStore(home);
  const env = {
    ...served.env,
    MAWPS_TARGET: "aws",
    AWS_ENDPOINT_URL: served.endpoint,
    MAWPS_USER_POOL_ID: "eu-central-1_Local0000",
  };
  return { ...served, env };
}

export async function erase() {
  const versions = 3;
  const served = await filled(documents, versions, 100);
  try {
    const folder = temporaryFolder();
    const deletes = join(folder, "deletes");
    const options = `--require=${join(import.meta.dirname, "count-deletes.cjs")}`;
    const counted = { ...served.env, NODE_OPTIONS: options, BENCH_DELETES_FILE: deletes };
    const receipt = join(folder, "receipt.json");
    const told = run([...mawps, "user", "erase", person, "--yes", "--json", "--receipt", receipt], counted);
    const { isComplete, erased } = JSON.parse(told);
    const count = erased.versions.documents;
    if (!isComplete || count !== documents * versions) throw new Error(`${count} versions were erased`);
    const fewest = Math.ceil((documents * versions) / 1000);
    console.log(`\nuser erase, ${documents} documents in ${versions} versions each`);
    report(
      "delete calls of user erase beyond the fewest",
      Number(readFileSync(deletes, "utf8")) - fewest,
      8,
      "",
    );
  } finally {
    await served.stop();
  }
}

function seconds(command, env) {
  const started = process.hrtime.bigint();
  run(command, env);
  return Number(process.hrtime.bigint() - started) / 1e9;
}

export async function exported() {
  const served = await filled(Math.max(1, Math.round(mebibytes / 8)), 1, 8 * 1024 ** 2);
  const folder = temporaryFolder();
  const [file, copy] = [join(folder, "out.zip"), join(folder, "copy")];
  const ours = [...mawps, "user", "export", person, "-o", file, "--json"];
  const files = `s3://${bucket}/public/documents/${person}/`;
  const theirs = [aws, "--endpoint-url", served.endpoint, "s3", "cp", "--recursive", "--quiet", files, copy];
  try {
    const times = { ours: [], theirs: [] };
    const peak = peakMegabytes(ours, served.env);
    for (let turn = 0; turn < runs; turn += 1) {
      rmSync(file, { force: true });
      times.ours.push(seconds(ours, served.env));
      rmSync(copy, { recursive: true, force: true });
      if (existsSync(aws)) times.theirs.push(seconds(theirs, served.env));
    }
    console.log(`\nuser export of ${mebibytes} MiB`);
    report("peak memory of user export", peak, 200, "MB");
    if (times.theirs.length === 0) return;
    report(
      "time of user export against aws s3 cp --recursive",
      median(times.ours) / median(times.theirs),
      1.2,
    );
  } finally {
    await served.stop();
  }
}
