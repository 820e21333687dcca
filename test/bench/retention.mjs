// `retention plan` over 100,000 documents beside one over 10,000, all of them due, and `retention run` of the 10,000, on
// a served store whose bucket has no versions. MAWPS_BENCH_DOCUMENTS makes it smaller.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildFiller, mawps, peakMegabytes, report, run, serveStore, temporaryFolder } from "./measure.mjs";

const bucket = "bench-files";
const perUser = 10;
const fewer = 10_000;
const more = Number(process.env.MAWPS_BENCH_DOCUMENTS ?? 100_000);

/** A store full of due documents, served; the tool works on it as on AWS. */
async function filled(filler, documents) {
  const home = join(temporaryFolder(), "store");
  run([...mawps, "setup", "--yes", "--quiet"], { MAWPS_HOME: home });
  const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
  run([process.execPath, filler, home, bucket, String(documents / perUser), String(perUser)], quiet);
  const served = await serveStore(home);
  const env = {
    ...served.env,
    MAWPS_TARGET: "aws",
    AWS_ENDPOINT_URL: served.endpoint,
    MAWPS_USER_FILES_BUCKET: bucket,
  };
  return { env, stop: () => served.stop() };
}

export async function retention() {
  const filler = await buildFiller("fill-store");
  const plan = [...mawps, "retention", "plan", "--json"];
  const few = await filled(filler, fewer);
  const many = await filled(filler, more);
  try {
    const lines = run(plan, few.env).trimEnd().split("\n").length;
    if (lines !== fewer) throw new Error(`${lines} of ${fewer} documents are due`);
    const [one, other] = [peakMegabytes(plan, few.env), peakMegabytes(plan, many.env)];
    console.log(
      `\nretention, ${fewer} and ${more} documents, all due (peaks ${one.toFixed(0)} and ${other.toFixed(0)} MB)`,
    );
    report("peak memory of retention plan, the larger against the smaller", other / one, 1.3);
    const deletes = join(temporaryFolder(), "deletes");
    const options = `--require=${join(import.meta.dirname, "count-deletes.cjs")}`;
    // `environment` takes NODE_OPTIONS from outside away, not what is asked for here.
    const counted = { ...few.env, NODE_OPTIONS: options, BENCH_DELETES_FILE: deletes };
    const limit = String(fewer);
    const result = JSON.parse(
      run([...mawps, "retention", "run", "--yes", "--json", "--max-delete", limit], counted),
    );
    if (result.done !== fewer) throw new Error(`${result.done} of ${fewer} documents were purged`);
    report(`delete calls of retention run, ${fewer} objects`, Number(readFileSync(deletes, "utf8")), 12, "");
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}
