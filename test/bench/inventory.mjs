// `storage usage --engine inventory` of 10,000,000 lines as CSV: its time on a core, all threads counted, beside what gunzip takes of it, and
// its peak memory beside that of a quarter. MAWPS_BENCH_LINES makes it another number, of whole 100,000.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { mawps, median, report, run, serveStore, temporaryFolder, told } from "./measure.mjs";

const destination = "inventories-of-the-bench";
const bucket = "mawps-user-files-1760106396";
const lines = Number(process.env.MAWPS_BENCH_LINES ?? 10_000_000);
const fewer = lines / 4;
const perFile = 25_000;
const usage = [...mawps, "storage", "usage", "--json", "--no-record", "--engine", "inventory"];
const fields =
  "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, StorageClass, EncryptionStatus";

const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");

function csv() {
  let text = "";
  for (let at = 0; at < perFile; at += 1) {
    const key = `public/documents/user-${at % 5000}/cv/${md5(String(at))}%20${at}.pdf`;
    const rest = `"true","false","${at}","2026-02-27T10:00:00.000Z","STANDARD","SSE-S3"`;
    text += `"${bucket}","${key}","${md5(key)}",${rest}\n`;
  }
  return gzipSync(text);
}

/** Seconds on a core that a million lines take to be unpacked. */
function floor() {
  const file = csv();
  const begin = process.cpuUsage();
  for (let at = 0; at < 20; at += 1) gunzipSync(file);
  const { user, system } = process.cpuUsage(begin);
  return ((user + system) / 1e6 / (20 * perFile)) * 1_000_000;
}

/** A newer inventory of every bucket each time: the same file under as many names as there are lines to be, and none of the other buckets. */
async function putInventories(s3, hour, number) {
  const put = (Key, Body) => s3.send(new PutObjectCommand({ Bucket: destination, Key, Body }));
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const file = csv();
  const keys = Array.from({ length: number / perFile }, (_, at) => `lines-${at}.csv.gz`);
  for (const key of keys) await put(key, file);
  for (const { Name } of Buckets) {
    const manifest = JSON.stringify({
      sourceBucket: Name,
      creationTimestamp: String(Date.UTC(2026, 0, 1, hour)),
      fileFormat: "CSV",
      fileSchema: fields,
      files: (Name === bucket ? keys : []).map((key) => ({ key, MD5checksum: md5(file) })),
    });
    const folder = `mawps-inventory/${Name}/mawps/2026-01-01T0${hour}-00Z`;
    await put(`${folder}/manifest.json`, manifest);
    await put(`${folder}/manifest.checksum`, md5(manifest));
  }
}

export async function inventoryLines() {
  const home = join(temporaryFolder(), "store");
  run([...mawps, "setup", "--yes"], { MAWPS_HOME: home, MAWPS_INVENTORY_BUCKET: destination });
  const served = await serveStore(home);
  const env = { ...served.env, MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: served.endpoint };
  const credentials = { accessKeyId: served.accessKeyId, secretAccessKey: served.secretAccessKey };
  const s3 = new S3Client({
    endpoint: served.endpoint,
    region: served.region,
    credentials,
    forcePathStyle: true,
  });
  const measured = async (hour, number) => {
    await putInventories(s3, hour, number);
    const { files } = JSON.parse(run(usage, env));
    if (files.objects.count !== number) throw new Error(`${files.objects.count} of ${number} were counted`);
    const all = [0, 1, 2].map(() => told(usage, env));
    return {
      peak: median(all.map(({ peakMegabytes }) => peakMegabytes)),
      seconds: median(all.map(({ coreSeconds }) => coreSeconds)),
    };
  };
  try {
    const few = await measured(1, fewer);
    const many = await measured(2, lines);
    console.log(
      `\nstorage usage by an inventory of ${fewer} and ${lines} lines (peaks ${few.peak.toFixed(0)} and ${many.peak.toFixed(0)} MB)`,
    );
    const seconds = (many.seconds - few.seconds) / ((lines - fewer) / 1_000_000);
    const least = floor();
    console.log(
      `a million lines: ${seconds.toFixed(2)} s on a core, of which gunzip takes ${least.toFixed(2)} s`,
    );
    report("time on a core of a million lines beside gunzip", seconds - least, 1, "s");
    report("peak memory of an inventory, the larger against the smaller", many.peak / few.peak, 1.3);
  } finally {
    s3.destroy();
    await served.stop();
  }
}
