// `hero set` of a 12-megapixel JPEG beside the bare sharp pipeline doing the same in one process.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { inTurn, mawps, peakMegabytes, report, root, temporaryFolder } from "./measure.mjs";

/** The same decode, turn, scale and encode that the tool asks sharp for, and the file read and written. */
const bare = `
const sharp = require("sharp");
const { readFileSync, writeFileSync } = require("node:fs");
sharp.cache(false);
sharp.concurrency(2);
sharp(readFileSync(process.argv[1]), { failOn: "warning", sequentialRead: true })
  .autoOrient().resize(2560).flatten({ background: "#ffffff" }).toColourspace("srgb")
  .jpeg({ quality: 82, progressive: true, chromaSubsampling: "4:2:0" }).toBuffer()
  .then((bytes) => writeFileSync(process.argv[2], bytes));
`;

export async function hero(runs = 12) {
  const folder = temporaryFolder();
  const photo = join(folder, "photo.jpg");
  const made = spawnSync(process.execPath, [join(root, "test", "bench", "make-photo.mjs"), photo], {
    stdio: "inherit",
  });
  if (made.status !== 0) throw new Error("could not make the photo");
  const env = { MAWPS_HOME: join(folder, "store") };
  const set = [...mawps, "hero", "set", photo, "--json"];
  const sharp = [process.execPath, "-e", bare, photo, join(folder, "out.jpg")];
  const times = inTurn({ sharp: { command: sharp }, set: { command: set, env } }, runs);
  console.log(`\nhero set, 12 megapixels (medians of ${runs}; bare sharp: ${times.sharp.toFixed(0)} ms)`);
  report("hero set on the local store against bare sharp", times.set / times.sharp, 1.15);
  const [ours, theirs] = [peakMegabytes(set, env), peakMegabytes(sharp)];
  report(`peak memory (bare sharp: ${theirs.toFixed(0)} MB)`, ours, 300, "MB");
}
