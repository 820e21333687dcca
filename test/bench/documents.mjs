// 200 documents of 1 MB up and down, against `aws s3 cp --recursive` on the same served store. Ours writes entries and the
// audit trail besides. MAWPS_BENCH_RUNS makes it shorter.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { environment, mawps, median, report, root, serveStore, temporaryFolder } from "./measure.mjs";

const aws = "/usr/bin/aws";
const runs = Number(process.env.MAWPS_BENCH_RUNS ?? 3);
const files = 200;
const fileBytes = 1_000_000;
const bars = { upload: 0.8, get: 0.6 };

/** Wall time in seconds. What the command before left to be written to the disk is not counted. */
function timed([command, ...args], env) {
  spawnSync("sync");
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, {
    env: environment(env),
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
  return seconds;
}

/** Text, so that name and content agree; each file another one, so that none is there already. */
function writeFiles(folder) {
  mkdirSync(folder);
  for (let number = 0; number < files; number += 1) {
    const text = randomBytes(fileBytes / 2).toString("hex");
    writeFileSync(join(folder, `document-${String(number).padStart(3, "0")}.txt`), text);
  }
}

export async function documents() {
  if (!existsSync(aws)) {
    console.log(`\ndocuments: skipped, there is no ${aws}`);
    return;
  }
  const folder = temporaryFolder();
  const source = join(folder, "source");
  writeFiles(source);
  const names = Array.from({ length: files }, (_, number) =>
    join(source, `document-${String(number).padStart(3, "0")}.txt`),
  );
  const served = await serveStore(join(folder, "store"));
  try {
    const there = ["--target", "aws", "--endpoint-url", served.endpoint];
    const s3 = [aws, "--endpoint-url", served.endpoint, "s3"];
    const bucket = "s3://mawps-user-files-1760106396/bench";
    const times = { up: [], awsUp: [], down: [], awsDown: [] };
    for (let run = 0; run < runs; run += 1) {
      const userId = `bench-${run}`;
      const target = join(folder, `ours-${run}`);
      const awsTarget = join(folder, `theirs-${run}`);
      const upload = [
        ...mawps,
        "doc",
        "upload",
        userId,
        ...names,
        "--type",
        "cv",
        "--create-profile",
        "--no-scan",
      ];
      times.awsUp.push(
        timed([...s3, "cp", "--quiet", "--recursive", source, `${bucket}/${run}`], served.env),
      );
      times.up.push(timed([...upload, ...there], served.env));
      times.awsDown.push(
        timed([...s3, "cp", "--quiet", "--recursive", `${bucket}/${run}`, awsTarget], served.env),
      );
      times.down.push(timed([...mawps, "doc", "get", userId, "--all", "-o", target, ...there], served.env));
      rmSync(target, { recursive: true });
      rmSync(awsTarget, { recursive: true });
    }
    const of = (name) => median(times[name]);
    console.log(
      `\ndocuments (medians of ${runs}, ${files} of 1 MB; aws s3 cp: up ${of("awsUp").toFixed(2)} s, ` +
        `down ${of("awsDown").toFixed(2)} s)`,
    );
    report("doc upload, entries and audit included, against aws s3 cp", of("up") / of("awsUp"), bars.upload);
    report("doc get --all against aws s3 cp", of("down") / of("awsDown"), bars.get);
  } finally {
    await served.stop();
  }
}
