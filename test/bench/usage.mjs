// `storage usage` of 1,000,000 objects beside `aws s3 ls --recursive --summarize` on the same server, and its peak memory beside that
// of a tenth. MAWPS_BENCH_OBJECTS makes it smaller.
import { mawps, thinEnd } from "./measure.mjs";
import { besidePeer } from "./two-sizes.mjs";

const bucket = "mawps-user-files-1760106396";

export async function usageOfObjects() {
  await besidePeer({
    name: "storage usage",
    what: "objects",
    more: Number(process.env.MAWPS_BENCH_OBJECTS ?? 1_000_000),
    command: [...mawps, "storage", "usage", "--json", "--no-record"],
    bar: 0.25,
    behind: ({ endpoint }, objects) => thinEnd("thin-listing.mjs", endpoint, bucket, objects),
    counted: (printed) => JSON.parse(printed).files.objects.count,
    theirs: ["s3", "ls", `s3://${bucket}`, "--recursive", "--summarize"],
  });
}
