import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readJobs } from "../../src/metrics/read.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";

const namespace = "Site";
const env = { MAWPS_METRICS_NAMESPACE: namespace, MAWPS_METRICS_DIMENSIONS: "Environment=test" };
const place = { namespace, dimensions: { Environment: "test" } };

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  // What only reads keeps nothing where there is no store.
  await home.look(async () => {});
});
afterEach(() => home.remove());

const put = () => home.calls.filter(({ service }) => service === "cloudwatch");
/** What the store has, a second after the last run. */
const kept = () =>
  home.look((aws) => {
    const now = new Date(testStart.getTime() + home.laterMs + 3_600_000);
    return readJobs(aws, place, { now, signal: new AbortController().signal });
  });

it("a job puts how it ended, in one call, and the report shows it", async () => {
  const { exitCode, stderr } = await home.run(["retention", "plan"], { env });
  expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining("metrics")]);
  expect(put()).toEqual([{ service: "cloudwatch", command: "PutMetricDataCommand" }]);
  home.laterMs += 60_000;
  // That something is wrong is a failure of the job; no repository is configured, and nothing was opened.
  expect((await home.run(["backup", "verify", "--repo", "nowhere"], { env })).exitCode).not.toBe(0);
  expect(await kept()).toMatchObject([
    { command: "backup verify", done: 0, failed: 1, hasFailedLast: true, measures: {} },
    {
      command: "retention plan",
      done: 1,
      failed: 0,
      hasFailedLast: false,
      measures: { ItemsDue: 0, Bytes: 0 },
    },
  ]);
  const report = await home.run(["report", "--lang", "de", "-o", "report.html"], { env });
  expect(report.stdout).toMatch(/jobs +2 jobs in two weeks; failed last: backup verify/);
  const page = await readFile(join(home.folder, "report.html"), "utf8");
  expect(page).toContain("<bdi>mawps retention plan</bdi>");
  expect(page).toContain("fällig 0");
});

it.each<[string, readonly string[], Record<string, string>]>([
  ["where the setting is off", ["retention", "plan"], {}],
  ["of a dry run", ["retention", "run", "--dry-run"], env],
  ["of what is no job", ["hero", "show"], env],
  ["of what will be due", ["retention", "plan", "--until", "2026-12-01"], env],
  ["of verdicts that are old", ["doc", "scan", "--report"], env],
])("nothing is put %s", async (_name, argv, given) => {
  expect((await home.run(argv, { env: given })).exitCode).toBe(0);
  expect(put()).toEqual([]);
});

it("what cannot be put is one warning, and the job ends as it would", async () => {
  home.beforeCall = async (command) => {
    if (command === "PutMetricDataCommand") throw new Error("CloudWatch is away");
  };
  const { exitCode, stdout, stderr } = await home.run(["retention", "plan", "--json", "--exit-code"], {
    env,
  });
  expect([exitCode, stdout]).toEqual([0, ""]);
  expect(
    stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([{ warning: "no metrics are put: CloudWatch is away" }]);
});

it.each<[string, readonly string[], number]>([
  ["of what was typed wrong", ["doc", "scan"], 2],
  ["of a scan of one person", ["doc", "scan", "nobody@example.com"], 1],
  ["of a backup that was named", ["backup", "drill", "2026-01-01", "--repo", "nowhere"], 1],
])("no failure is put %s", async (_name, argv, exitCode) => {
  expect(await home.run(argv, { env })).toMatchObject({ exitCode });
  expect(put()).toEqual([]);
});

it("nothing is put where a question was declined", async () => {
  const path = join(home.folder, "mawps.config.json");
  await writeFile(path, JSON.stringify({ target: "aws", endpointUrl: "http://127.0.0.1:9" }));
  const { exitCode, stderr } = await home.run(["retention", "plan"], { env, answers: [false] });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("declined")]);
  expect(stderr).not.toContain("metrics");
});

it("a scan that could not be done is a failure", async () => {
  expect((await home.run(["doc", "scan", "--all"], { env })).exitCode).toBe(1);
  expect(await kept()).toMatchObject([{ command: "doc scan", failed: 1, measures: {} }]);
});

it("a command that is interrupted while it puts them waits for nothing", async () => {
  const interruption = new AbortController();
  home.beforeCall = async (command) => {
    if (command !== "PutMetricDataCommand") return;
    interruption.abort();
    await new Promise<never>(() => {});
  };
  const { stderr } = await home.run(["retention", "plan", "--quiet"], { env, signal: interruption.signal });
  expect(stderr).toBe("");
});

it("a file that came with somebody else's folder does not say where they go", async () => {
  const path = join(home.folder, "mawps.config.json");
  await writeFile(path, JSON.stringify({ target: "aws", metrics: { namespace } }));
  const shown = await home.run(["config", "show", "--json"], { env: {} });
  expect(shown.stdout).toContain('"metrics.namespace"');
  const { exitCode, stderr } = await home.run(["setup", "--yes"], { env: {} });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(namespace)]);
});
