import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, installed, launchChromium } from "../browser-storage/real-browsers.ts";
import { documentBucket, putProfile } from "../support/documents.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { findingIn, type DoctorFinding } from "../../src/doctor/finding.ts";
import { wordsOf } from "../../src/report/words.ts";
import type { CostLine } from "../../src/usage/cost.ts";
import { lineIn } from "../../src/usage/cost-words.ts";
import { makeHome, testStart, type Outcome, type TestHome } from "../support/world.ts";

const hostile = `</td></bdi><script>document.title="run"</script><img src=http://127.0.0.1:9/x>`;
const dayMs = 86_400_000;
const daysAgo = (days: number) => new Date(testStart.getTime() - days * dayMs).toISOString();
const env = { MAWPS_BACKUP_REPOSITORY: "backups", MAWPS_METRICS_NAMESPACE: "Site" };

let home: TestHome;
let made: Outcome;
let page: string;

beforeAll(async () => {
  home = await makeHome();
  const progress = (percent: number, days: number) => ({
    lastProgressUpdate: daysAgo(days),
    progressData: {
      pages: {
        ikigai: {
          firstVisit: daysAgo(days + 1),
          lastVisit: daysAgo(days),
          visitCount: 2,
          completed: percent === 100,
          completionPercentage: percent,
          steps: { "step-1": { completed: percent > 0 }, "step-2": { completed: percent > 50 } },
        },
        [hostile]: { firstVisit: daysAgo(days), lastVisit: daysAgo(days), visitCount: 1 },
      },
    },
  });
  const documents = [
    ["doc-1", "Lebenslauf.pdf", "READY", "CLEAN"],
    ["doc-2", hostile, "READY", "SKIPPED"],
    ["doc-3", "old.pdf", "DELETED", "CLEAN"],
  ].map(([id, name, status, scanResult]) => ({
    id,
    name,
    status,
    scanResult,
    type: "cv",
    s3Key: `public/documents/ada/cv/1734384121711-${id ?? ""}.pdf`,
    deletedAt: status === "DELETED" ? daysAgo(60) : undefined,
    scanReason: scanResult === "SKIPPED" ? "too large" : undefined,
  }));
  home.laterMs = -61 * dayMs;
  const deleted = documents[2]?.s3Key ?? "";
  await home.look((aws) =>
    putObject(aws, { bucket: documentBucket, key: deleted, body: Buffer.alloc(5000) }),
  );
  home.laterMs = 0;
  await home.look(async (aws) => {
    await putProfile(aws, "owner", { type: "website-images", profileImageDefault: hostile });
    await putProfile(aws, "ada", { documents, ...progress(100, 2) });
    await putProfile(aws, "ben", progress(40, 20));
    await putProfile(aws, hostile, progress(0, 1));
    await putObject(aws, { bucket: documentBucket, key: "odd/left.bin", body: Buffer.alloc(300_000) });
  });
  await home.run(["storage", "usage"]);
  home.laterMs = dayMs;
  await home.run(["backup", "create"], { env });
  home.laterMs = 4 * dayMs;
  const [id = ""] = await readdir(join(home.folder, "backups", "snapshots"));
  const check = {
    snapshot: id,
    kind: "drill",
    at: "2026-03-04T03:00:00.000Z",
    outcome: "ok",
    share: 1,
    faults: 0,
  };
  await mkdir(join(home.folder, "backups", "checks", id), { recursive: true });
  await writeFile(
    join(home.folder, "backups", "checks", id, "20260304T030000000Z-drill.json"),
    JSON.stringify(check),
  );
  made = await home.run(["report", "--lang", "de", "-o", "report.html"], { env });
  page = await readFile(join(home.folder, "report.html"), "utf8");
});

afterAll(() => home.remove());

async function told() {
  const { stdout } = await home.run(["report", "--json", "--dry-run"], { env });
  return JSON.parse(stdout) as Record<string, never>;
}

describe("the report", () => {
  it("tells as JSON what each command tells for itself", async () => {
    const report = await told();
    const json = async (...argv: string[]) =>
      JSON.parse((await home.run([...argv, "--json"], { env })).stdout) as Record<string, never>;
    const { users: _users, ...statistics } = await json("progress", "stats");
    expect(report["people"]).toMatchObject({
      statistics: { usersWithProgress: 3, pages: statistics["pages"], completion: statistics["completion"] },
      users: [
        { userId: hostile, percent: 0, completedPages: 0, lastActivity: Date.parse(daysAgo(1)) },
        { userId: "ada", percent: 50, completedPages: 1 },
        { userId: "ben", percent: 20, completedPages: 0 },
      ],
      moreUsers: 0,
    });
    expect(report["hero"]).toEqual(await json("hero", "show"));
    expect(report["documents"]).toEqual({
      ...(await json("doc", "scan", "--report")),
      states: { READY: 2, DELETED: 1 },
      moreUnscanned: 0,
    });
    const { groups, files } = await json("storage", "usage", "--no-record");
    const { lines, usd, savings } = await json("storage", "cost", "--due");
    expect(savings).toEqual(expect.arrayContaining([expect.objectContaining({ code: "due" })]));
    expect(report["storage"]).toMatchObject({
      usage: { groups, files },
      cost: { lines, usd, savings },
      days: [{ day: "2026-03-01" }],
    });
    expect(report["retention"]).toMatchObject({ rules: [{ action: "purge", count: 1 }] });
    expect(report["backups"]).toMatchObject({
      snapshots: [{ startedAt: expect.stringMatching(/^2026-03-02/), drilledAt: "2026-03-04T03:00:00.000Z" }],
    });
    expect(report["jobs"]).toMatchObject([
      { command: "backup create", done: 1, failed: 0, measures: { Bytes: expect.any(Number) } },
      { command: "report", done: 1, failed: 0, measures: { BackupAge: expect.any(Number) } },
    ]);
    expect(report["audit"]).toMatchObject({
      weeks: { "2026-03-02": 2 },
      actions: { "backup.created": 1, "progress.exported": 1 },
    });
    const lookedAt = (await home.run(["doctor", "--json"], { env })).stdout.trim().split("\n");
    expect(report["doctor"]).toHaveLength(lookedAt.length);
    expect(report["doctor"]).toContainEqual(
      expect.objectContaining({ check: "alarms", subject: "Site", status: "skipped" }),
    );
    expect([report["failures"], report["absent"], report["file"]]).toEqual([[], [], null]);
  });

  it("keeps today's sums and price, and tells the trail that it names users", async () => {
    const file = await readFile(join(home.folder, ".local", "state", "mawps", "usage"), "utf8");
    const kept = file
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { day: string; usd?: number });
    expect(kept.map(({ day, usd }) => [day, typeof usd])).toEqual([
      ["2026-03-01", "undefined"],
      ["2026-03-05", "number"],
    ]);
    const { stdout } = await home.run(["audit", "list", "--action", "progress.exported", "--json"]);
    expect(JSON.parse(stdout.split("\n")[0] ?? "")).toMatchObject({ details: { method: "report" } });
  });

  it("tells what retention would save, by each of its rules", () => {
    expect(page).toContain("löschen, was nach der Regel deleted-documents fällig ist: 1");
  });

  it("is one page below 1 MB that only its owner reads, without a script, and with all that is stored as text", async () => {
    expect([made.exitCode, made.stdout]).toEqual([0, expect.stringMatching(/page +.*report\.html/)]);
    expect((await stat(join(home.folder, "report.html"))).mode & 0o777).toBe(0o600);
    expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<img|<link|<a |@import|url\((?!#)/i);
    expect(page).toContain("&lt;script&gt;");
    expect(page).toContain("Nutzer und Fortschritt");
    expect(page).toContain("nicht begonnen");
  });

  it("writes numbers, sizes and days as Germans do", () => {
    const texts = [...page.replaceAll(/<style>.*?<\/style>/gs, "").matchAll(/>([^<>]+)</g)].map(
      ([, text = ""]) => text,
    );
    expect(texts).toEqual(
      expect.arrayContaining(["23,3\u00A0%", "04.03.2026 03:00 UTC", "50,0 KB", "05.03."]),
    );
    expect(texts.filter((text) => /\d{4}-\d\d-\d\d(?: |$)|\d\.\d+ ?(?:[KMGT]?B|USD|s|%)/.test(text))).toEqual(
      [],
    );
  });

  it("says in German what doctor, retention and cost say", async () => {
    const { doctor, retention, storage } = (await told()) as unknown as {
      doctor: DoctorFinding[];
      retention: { rules: { rule: string }[] };
      storage: { cost: { lines: CostLine[] } };
    };
    const plain = page.replaceAll("&quot;", '"').replaceAll("&#39;", "'");
    const open = doctor.filter((each) => each.status !== "ok");
    expect(open.map(({ code }) => code)).toContain("scanner-none");
    const german = [
      ...open.flatMap((each) => (each.code === "setup" ? [] : [findingIn("de", each).message])),
      ...retention.rules.map(({ rule }) => wordsOf("de").rules[rule] ?? `no German for ${rule}`),
      ...storage.cost.lines.map((line) => lineIn("de", line).what),
    ];
    expect(german.length).toBeGreaterThan(5);
    expect(german.filter((text) => !plain.includes(`>${text}<`))).toEqual([]);
    expect(plain).toContain("ein ganzer Monat wie jetzt, zum Preis der ersten 50 TB");
  });

  it("replaces no page unasked, and with a dry run leaves everything as it is", async () => {
    const again = await home.run(["report", "-o", "report.html"], { env });
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("--overwrite")]);
    expect(await readFile(join(home.folder, "report.html"), "utf8")).toBe(page);
    const nameless = await home.run(["report", "-o", ""], { env });
    expect([nameless.exitCode, nameless.stderr]).toEqual([2, expect.stringContaining("--output is empty")]);
    const blank = await home.run(["report", "-o", " "], { env });
    expect([blank.exitCode, blank.stderr]).toEqual([
      2,
      expect.stringContaining("give it the name of a file"),
    ]);
    const folder = await home.run(["report", "-o", "."], { env });
    expect([folder.exitCode, folder.stderr]).toEqual([1, expect.stringContaining("is a folder\n")]);
    expect(folder.stderr).not.toContain("--overwrite");
    expect(await readdir(home.folder)).not.toContain(" ");
    const before = await home.run(["audit", "verify", "--json"]);
    const dry = await home.run(["report", "-o", "dry.html", "--dry-run"], { env });
    expect([dry.exitCode, dry.stderr]).toEqual([0, expect.stringContaining("would write")]);
    expect(await readdir(home.folder)).not.toContain("dry.html");
    expect((await home.run(["audit", "verify", "--json"])).stdout).toBe(before.stdout);
    const named = await home.run(["report"], { env });
    expect([named.exitCode, named.stdout]).toEqual([
      0,
      expect.stringMatching(/page +.*report-20260305T\d{6}Z\.html/),
    ]);
  });

  it("is JSON in a file whose name says so, as on standard output", async () => {
    const { exitCode, stdout } = await home.run(["report", "--json", "-o", "kept.json"], { env });
    const kept = JSON.parse(await readFile(join(home.folder, "kept.json"), "utf8")) as object;
    expect([exitCode, kept]).toEqual([0, JSON.parse(stdout)]);
    expect(kept).toMatchObject({ site: "MAWPS", file: join(home.folder, "kept.json") });
    const told = await home.run(["report", "-o", "again.JSON"], { env });
    expect(told.stdout).toMatch(/^JSON +.*again\.JSON$/m);
    expect(told.stdout).not.toMatch(/^page /m);
  });

  it("says of a part that may not be read that it may not, tells the others, and ends with 3", async () => {
    const elsewhere = { MAWPS_BACKUP_REPOSITORY: "s3://nowhere/backups" };
    const part = await home.run(["report", "-o", "part.html"], { env: elsewhere });
    expect([part.exitCode, part.stderr]).toEqual([3, expect.stringMatching(/backups: .*nowhere/)]);
    const html = await readFile(join(home.folder, "part.html"), "utf8");
    expect(html).toMatch(/<section id="backups"><h2>Backups<\/h2>\s*<p class="bad">could not be looked at: /);
    expect(html).toMatch(/<section id="storage"><h2>Storage and cost<\/h2>\s*<dl class="tiles">/);
  });

  it("is of what another site has, and names what it has not", async () => {
    const other = await makeHome();
    const { exitCode, stdout } = await other.run(["report", "--json", "--model", "prework"]);
    const { hero, people, absent, doctor, storage } = JSON.parse(stdout) as Record<string, unknown>;
    expect([exitCode, hero, people]).toEqual([0, null, null]);
    expect(absent).toEqual(expect.arrayContaining(["hero", "people", "backups"]));
    expect([doctor, storage]).toEqual([expect.any(Array), expect.any(Object)]);
    await other.run(["backup", "create", "--model", "prework"]);
    const { stdout: again } = await other.run(["report", "--json", "--model", "prework"]);
    expect(JSON.parse(again)).toMatchObject({ backups: { snapshots: [{ id: expect.any(String) }] } });
    await other.remove();
  });
});

describe.skipIf(!installed(chromiumPath))("the report in a real Chromium, if it is installed", () => {
  it("is shown from disk without a request, in light and dark, on paper, and whole on a phone", async () => {
    await using context = await launchChromium(join(home.folder, "profile"));
    const shown = await context.newPage();
    const seen: string[] = [];
    shown.on("request", (request) => void seen.push(request.url()));
    shown.on("console", (message) => void seen.push(message.text()));
    const address = pathToFileURL(join(home.folder, "report.html")).href;
    await shown.goto(address);
    expect(await look(shown)).toMatchObject({
      title: "Bericht über MAWPS",
      background: "rgb(255, 255, 255)",
      skipped: "rgb(179, 38, 30)",
      sections: ["hero", "people", "documents", "storage", "retention", "backups", "jobs", "audit", "doctor"],
      made: 1,
    });
    await shown.emulateMedia({ colorScheme: "dark" });
    expect(await look(shown)).toMatchObject({ background: "rgb(18, 24, 31)", skipped: "rgb(255, 138, 128)" });
    await shown.emulateMedia({ colorScheme: "dark", media: "print" });
    expect(await look(shown)).toMatchObject({ background: "rgb(255, 255, 255)" });
    await shown.emulateMedia({ media: "screen" });
    await shown.setViewportSize({ width: 360, height: 800 });
    expect(await shown.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    expect(seen).toStrictEqual([address]);
  });
});

async function look(page: Page): Promise<unknown> {
  return page.evaluate(`({
    title: document.title,
    background: getComputedStyle(document.body).backgroundColor,
    skipped: getComputedStyle(document.querySelector("#documents td.bad")).color,
    sections: [...document.querySelectorAll("section")].map(({ id }) => id),
    made: document.querySelectorAll("td.made").length,
  })`);
}
