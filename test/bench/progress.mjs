// `progress stats` over 100,000 users of 5 KB beside 10,000: peak memory, and items a second beside `aws dynamodb scan` on the
// same served store. MAWPS_BENCH_USERS=10000 (and a fifth of it as the smaller one) makes it smaller.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { environment, inTurn, mawps, median, peakMegabytes, report, root } from "./measure.mjs";
import { profileTable, servedProfiles } from "./profiles.mjs";

const more = Number(process.env.MAWPS_BENCH_USERS ?? 100_000);
const fewer = more >= 100_000 ? 10_000 : Math.round(more / 5);
const aws = "/usr/bin/aws";

function user(number) {
  const time = { S: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString() };
  const steps = Object.fromEntries(
    Array.from({ length: 5 }, (_, step) => [
      `step-${step + 1}`,
      { M: { completed: { BOOL: step < number % 6 } } },
    ]),
  );
  const page = (percent) => ({
    M: {
      firstVisit: time,
      lastVisit: time,
      visitCount: { N: "3" },
      completed: { BOOL: percent === 100 },
      completionPercentage: { N: String(percent) },
      formData: { M: { answer: { S: "a".repeat(900) } } },
      steps: { M: steps },
    },
  });
  const pages = Array.from({ length: 4 }, (_, at) => [`page-${at}`, page((number * (at + 1)) % 101)]);
  return {
    userId: { S: `user-${number}` },
    type: { S: "user-profile" },
    progressData: { M: { pages: { M: Object.fromEntries(pages) } } },
    lastProgressUpdate: time,
  };
}

export async function progress() {
  const stats = [...mawps, "progress", "stats", "--json"];
  const few = await servedProfiles(fewer, user);
  const many = await servedProfiles(more, user);
  try {
    const { stdout } = spawnSync(stats[0], stats.slice(1), {
      env: environment(many.env),
      cwd: root,
      encoding: "utf8",
    });
    const { users } = JSON.parse(stdout);
    if (users !== more) throw new Error(`${users} of ${more} users were counted`);
    const peaks = (env) => median([0, 1, 2].map(() => peakMegabytes(stats, env)));
    const [one, other] = [peaks(few.env), peaks(many.env)];
    console.log(
      `\nprogress, ${fewer} and ${more} users of 5 KB (peaks ${one.toFixed(0)} and ${other.toFixed(0)} MB)`,
    );
    report("peak memory of progress stats, the larger against the smaller", other / one, 1.3);
    if (!existsSync(aws)) return;
    const scan = [aws, "dynamodb", "scan", "--table-name", profileTable, "--endpoint-url", many.endpoint];
    const times = inTurn(
      { stats: { command: stats, env: many.env }, scan: { command: scan, env: many.env } },
      1,
    );
    const perSecond = (ms) => ((1000 * more) / ms).toFixed(0);
    console.log(`     items a second: ${perSecond(times.stats)}, aws dynamodb scan ${perSecond(times.scan)}`);
    report("time of progress stats against aws dynamodb scan", times.stats / times.scan, 1 / 8);
  } finally {
    await Promise.all([few.stop(), many.stop()]);
  }
}
