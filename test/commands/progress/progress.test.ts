import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PutItemCommand, UpdateItemCommand, type AttributeValue } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { queryItems } from "../../../src/aws/dynamodb/items.ts";
import { plain } from "../../../src/aws/dynamodb/plain.ts";
import { chromiumPath, installed, launchChromium } from "../../browser-storage/real-browsers.ts";
import { profileTable, putProfile, readItem, userKey } from "../../support/documents.ts";
import { foreignAttributes, type Shape } from "../../support/owner-item.ts";
import { makeHome, testStart, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

const daysAgo = (days: number) => new Date(testStart.getTime() - days * 86_400_000).toISOString();

/** Done in ten minutes, three days ago, in the model's numbers: 1 of 4 pages. */
const ada = {
  pages: {
    mbti: {
      firstVisit: daysAgo(3),
      lastVisit: daysAgo(3),
      completedAt: new Date(Date.parse(daysAgo(3)) + 600_000).toISOString(),
      visitCount: 1,
      completed: true,
      completionPercentage: 100,
      testResults: { type: "INTJ" },
    },
  },
  overallStats: { totalPages: 4, visitedPages: 1, completedPages: 1, completionPercentage: 25 },
};

/** Halfway, twenty days ago, in the tracker's numbers: the mean of 50 and 0. */
const ben = {
  pages: {
    mbti: {
      firstVisit: daysAgo(30),
      lastVisit: daysAgo(20),
      visitCount: 2,
      completed: false,
      completionPercentage: 50,
      steps: { "step-1": { completed: true }, "step-2": { completed: false } },
    },
    ikigai: { firstVisit: daysAgo(20), lastVisit: daysAgo(20), visitCount: 1, completionPercentage: 0 },
  },
  overallStats: { totalPages: 2, visitedPages: 2, completedPages: 0, completionPercentage: 25 },
};

async function actionsOf(aws: Aws, userId: string): Promise<unknown[]> {
  const query = {
    table: "mawps-audit-log",
    index: "UserId-Timestamp-Index",
    partition: { attribute: "userId", value: { S: userId } },
  };
  const actions: unknown[] = [];
  for await (const page of queryItems(aws, query)) actions.push(...page.map((item) => item["action"]?.S));
  return actions;
}

describe.each(["simple", "composite"] as const)("progress on the %s table", (shape: Shape) => {
  const env = { MAWPS_NEW_TABLE_SHAPE: shape };
  const run = (...argv: string[]) => home.run(argv, { env });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);
  const stored = async (userId: string) => plain((await look((aws) => readItem(aws, userId, shape))) ?? {});
  const putThree = () =>
    look(async (aws) => {
      await putProfile(aws, "ada", { progressData: ada, lastProgressUpdate: daysAgo(3) });
      await putProfile(aws, "ben", { progressData: ben, lastProgressUpdate: daysAgo(20) });
      await putProfile(aws, "cleo", { name: "Cleo" });
    });

  it("counts three users of different kinds as a person would", async () => {
    await putThree();
    const { exitCode, stdout, stderr } = await run("progress", "stats", "--json");
    expect([exitCode, stderr]).toEqual([0, ""]);
    const statistics = JSON.parse(stdout) as { completion: { distribution: unknown } };
    expect(statistics).toMatchObject({
      users: 3,
      usersWithProgress: 2,
      usersWithProblems: 0,
      active: { last7Days: 1, last30Days: 2, last90Days: 2 },
      completion: { meanPercent: 25 },
      problems: [],
    });
    expect(statistics.completion.distribution).toContainEqual({ from: 20, to: 30, users: 2 });
    expect(statistics).toMatchObject({
      pages: [
        {
          page: "mbti",
          visitors: 2,
          completed: 1,
          meanPercent: 75,
          medianSecondsToComplete: 600,
          steps: [{ step: "step-1", completed: 1 }],
          stops: [{ step: "step-1", users: 1 }],
        },
        { page: "ikigai", visitors: 1, completed: 0, meanPercent: 0, stops: [{ step: null, users: 1 }] },
      ],
    });
    expect(JSON.parse((await run("progress", "stats", "--since", "7d", "--json")).stdout)).toMatchObject({
      users: 1,
      usersWithProgress: 1,
    });
    const csv = await run("progress", "stats", "--csv", "--page", "mbti", "--quiet");
    expect(csv).toEqual({
      exitCode: 0,
      stdout: "page,visitors,completed,meanPercent,medianSecondsToComplete\r\nmbti,2,1,75,600\r\n",
      stderr: "",
    });
    const people = await run("progress", "stats");
    expect(people.stdout).toContain("3, 2 with progress");
    expect(people.stdout).toMatch(/20-30 % +█+ 2/);
  });

  it("shows one user, as stored with --json, and tells where totals are stale", async () => {
    await putThree();
    expect(JSON.parse((await run("progress", "show", "ada", "--json")).stdout)).toEqual(ada);
    const { stdout } = await run("progress", "show", "ben");
    expect(stdout).toMatch(/mbti +█{10}░{10} +50 +2 +1\/2/);
    expect(stdout).not.toContain("recompute");
    const stale = { ...ben, overallStats: { ...ben.overallStats, completionPercentage: 77 } };
    await look((aws) => putProfile(aws, "ben", { progressData: stale }));
    expect((await run("progress", "show", "ben")).stdout).toContain("mawps progress recompute");
    expect((await run("progress", "show", "nobody")).exitCode).toBe(1);
  });

  it("corrects stored totals and nothing else; a dry run tells what it would do", async () => {
    await putThree();
    const stale = { ...ben, overallStats: { ...ben.overallStats, completionPercentage: 77, by: "site" } };
    await look((aws) => putProfile(aws, "ben", { progressData: stale, ...plainForeign }));
    const before = await stored("ben");
    const dry = await run("progress", "recompute", "--dry-run", "--json");
    expect(JSON.parse(dry.stdout)).toMatchObject({ users: 3, changes: [{ userId: "ben" }], dryRun: true });
    expect(await stored("ben")).toEqual(before);
    expect((await run("progress", "recompute")).exitCode).toBe(0);
    const corrected = { ...stale, overallStats: { ...ben.overallStats, by: "site" } };
    expect(await stored("ben")).toEqual({ ...before, progressData: corrected });
    expect(await look((aws) => actionsOf(aws, "ben"))).toEqual(["progress.recomputed"]);
    expect(JSON.parse((await run("progress", "recompute", "--json")).stdout)).toMatchObject({ changes: [] });
  });

  it("goes past broken data, names it and ends with 3", async () => {
    await putThree();
    const page = { firstVisit: daysAgo(1), lastVisit: daysAgo(1), visitCount: 1 };
    await look(async (aws) => {
      await putProfile(aws, "text", { progressData: "kaputt" });
      await putProfile(aws, "nan", {
        progressData: { pages: { a: { ...page, completionPercentage: "NaN" } } },
      });
      await putProfile(aws, "undated", { progressData: { pages: { a: { visitCount: 1 } } } });
      const formData = { text: "x".repeat(300_000) };
      await putProfile(aws, "huge", { progressData: { pages: { a: { ...page, formData } } } });
    });
    const { exitCode, stdout } = await run("progress", "stats", "--json");
    expect(exitCode).toBe(3);
    const { users, usersWithProblems, problems } = JSON.parse(stdout) as {
      users: number;
      usersWithProblems: number;
      problems: { userId: string; problems: { path: string }[] }[];
    };
    expect([users, usersWithProblems]).toEqual([7, 4]);
    expect(problems.map((each) => `${each.userId} ${each.problems[0]?.path ?? ""}`).toSorted()).toEqual([
      "huge pages.a.formData",
      "nan pages.a.completionPercentage",
      "text progressData",
      "undated pages.a",
    ]);
    const shown = await run("progress", "show", "huge");
    expect(shown.exitCode).toBe(3);
    expect(shown.stderr).toContain("warning: huge: pages.a.formData takes 300 KB");
    expect(shown.stdout + shown.stderr).not.toContain("xxxx");
    expect((await run("progress", "export", "-o", "all.json")).exitCode).toBe(3);
    await writeFile(join(home.folder, "text.json"), JSON.stringify(ada));
    expect((await run("progress", "import", "text", "text.json")).exitCode).toBe(1);
    expect((await stored("text"))["progressData"]).toBe("kaputt");
  });

  it("imports a device's cache, keeps foreign attributes, and never lets an older device win", async () => {
    const long = { N: "12345678901234567890123456789012345678" };
    await look(async (aws) => {
      await putProfile(aws, "ben", { progressData: ben, lastProgressUpdate: daysAgo(20) });
      await (
        await aws.dynamodb()
      ).send(
        new UpdateItemCommand({
          TableName: profileTable,
          Key: userKey("ben", shape),
          UpdateExpression: "SET progressData.#long = :long, stringSet = :set",
          ExpressionAttributeNames: { "#long": "long" },
          ExpressionAttributeValues: { ":long": long, ":set": { SS: ["a", "ü"] } },
        }),
      );
    });
    const newer = { pages: { mbti: { ...ben.pages.mbti, lastVisit: daysAgo(1), visitCount: 5 } } };
    const older = { pages: { mbti: { ...ben.pages.mbti, lastVisit: daysAgo(60), visitCount: 1 } } };
    await writeFile(
      join(home.folder, "newer.json"),
      JSON.stringify({ userProgress_ben: JSON.stringify(newer) }),
    );
    await writeFile(join(home.folder, "older.json"), JSON.stringify(older));
    const before = await look((aws) => readItem(aws, "ben", shape));

    expect((await run("progress", "import", "ben", "newer.json", "--dry-run")).exitCode).toBe(0);
    expect(await look((aws) => readItem(aws, "ben", shape))).toEqual(before);
    const imported = await run("progress", "import", "ben", "newer.json", "--json");
    expect(JSON.parse(imported.stdout)).toEqual({
      userId: "ben",
      changed: true,
      newPages: [],
      changedPages: ["mbti"],
      changedSections: [],
    });
    const after = await look((aws) => readItem(aws, "ben", shape));
    expect(after?.["lastProgressUpdate"]).toEqual({ S: daysAgo(1) });
    expect(after?.["stringSet"]).toEqual(before?.["stringSet"]);
    expect(after?.["progressData"]?.M?.["long"]).toEqual(before?.["progressData"]?.M?.["long"]);
    expect(after?.["progressData"]?.M?.["pages"]?.M?.["mbti"]?.M?.["visitCount"]).toEqual({ N: "5" });
    expect(after?.["progressData"]?.M?.["pages"]?.M?.["ikigai"]).toBeDefined();
    for (const source of ["newer.json", "older.json"]) {
      await run("progress", "import", "ben", source);
      const now = await look((aws) => readItem(aws, "ben", shape));
      const visits = now?.["progressData"]?.M?.["pages"]?.M?.["mbti"]?.M;
      expect([visits?.["lastVisit"]?.S, visits?.["visitCount"]?.N]).toEqual([daysAgo(1), "5"]);
      expect(now?.["lastProgressUpdate"]).toEqual({ S: daysAgo(1) });
    }
    expect((await look((aws) => actionsOf(aws, "ben")))[0]).toBe("progress.imported");
  });

  it("imports pages, steps and sections of any name, and counts them", async () => {
    await look((aws) => putProfile(aws, "ben", { progressData: ben }));
    const page = { firstVisit: daysAgo(2), lastVisit: daysAgo(1), visitCount: 1, completionPercentage: 0 };
    const odd = {
      pages: {
        constructor: { ...page, steps: { toString: { completed: true } }, constructor: "x" },
        mbti: { ...ben.pages.mbti, lastVisit: daysAgo(1), valueOf: { toString: 1 } },
      },
      sections: { hasOwnProperty: { constructor: { data: { a: 1 }, updatedAt: daysAgo(1) } } },
    };
    await writeFile(join(home.folder, "odd.json"), JSON.stringify(odd));
    expect(JSON.parse((await run("progress", "import", "ben", "odd.json", "--json")).stdout)).toEqual({
      userId: "ben",
      changed: true,
      newPages: ["constructor"],
      changedPages: ["mbti"],
      changedSections: ["hasOwnProperty"],
    });
    const stored = (await look((aws) => readItem(aws, "ben", shape)))?.["progressData"]?.M;
    expect(Object.keys(stored?.["pages"]?.M ?? {}).toSorted()).toEqual(["constructor", "ikigai", "mbti"]);
    expect(Object.entries(stored?.["pages"]?.M?.["mbti"]?.M?.["valueOf"]?.M ?? {})).toEqual([
      ["toString", { N: "1" }],
    ]);
    expect((await run("progress", "import", "ben", "odd.json")).stdout).toContain("nothing to do");
    const stats = await run("progress", "stats", "--json");
    expect([stats.exitCode, stats.stdout]).toEqual([0, expect.stringContaining('"constructor"')]);
  });

  it.each([
    ["a page named __proto__", '{"pages":{"__proto__":{"visitCount":1}}}'],
    ["20,000 levels", `{"pages":{"a":{"b":${"[".repeat(20_000)}${"]".repeat(20_000)}}}}`],
    ["40 levels", `{"pages":{"a":{"b":${"[".repeat(40)}${"]".repeat(40)}}}}`],
  ])("refuses %s before anything is changed", async (_what, text) => {
    await look((aws) => putProfile(aws, "ben", { progressData: ben }));
    const before = await look((aws) => readItem(aws, "ben", shape));
    await writeFile(join(home.folder, "bad.json"), text);
    const outcome = await run("progress", "import", "ben", "bad.json");
    expect(outcome.exitCode).not.toBe(0);
    expect(outcome.stderr).not.toMatch(/a bug|at \w+ \(/);
    expect(await look((aws) => readItem(aws, "ben", shape))).toEqual(before);
  });

  it("dates progress by the newest of what is stored and what comes, not by the attribute alone", async () => {
    const section = { "step-1": { data: {}, updatedAt: "2026-01-15T14:30:00.000Z" } };
    await look((aws) =>
      putProfile(aws, "ben", {
        progressData: { pages: {}, sections: { bewerbungsmanager: section } },
        lastProgressUpdate: "2025-11-14T10:45:00.000Z",
      }),
    );
    const device = { pages: { values: { visitCount: 1, firstVisit: "2025-12-20T10:00:00.000Z" } } };
    await writeFile(join(home.folder, "device.json"), JSON.stringify(device));
    expect((await run("progress", "import", "ben", "device.json")).exitCode).toBe(0);
    expect((await stored("ben"))["lastProgressUpdate"]).toBe("2026-01-15T14:30:00.000Z");
  });

  it("keeps both of two imports at once, and what the website writes in between", async () => {
    await look((aws) => putProfile(aws, "ada", { progressData: ada }));
    const page = { firstVisit: daysAgo(2), lastVisit: daysAgo(2), visitCount: 1, completionPercentage: 10 };
    await writeFile(join(home.folder, "a.json"), JSON.stringify({ pages: { a: page } }));
    await writeFile(join(home.folder, "b.json"), JSON.stringify({ pages: { b: page } }));
    let writes = 0;
    home.beforeUpdate = async (aws) => {
      writes += 1;
      if (writes > 1) return;
      const changed: Record<string, AttributeValue> = { ":page": { M: { visitCount: { N: "1" } } } };
      await (
        await aws.dynamodb()
      ).send(
        new UpdateItemCommand({
          TableName: profileTable,
          Key: userKey("ada", shape),
          UpdateExpression: "SET progressData.pages.site = :page",
          ExpressionAttributeValues: changed,
        }),
      );
    };
    const both = await Promise.all([
      run("progress", "import", "ada", "a.json"),
      run("progress", "import", "ada", "b.json"),
    ]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const { pages } = (await stored("ada"))["progressData"] as { pages: object };
    expect(Object.keys(pages).toSorted()).toEqual(["a", "b", "mbti", "site"]);
  });

  it("exports to stdout and to new files, and an import takes an export", async () => {
    await putThree();
    const one = await run("progress", "export", "ada", "--quiet");
    expect(JSON.parse(one.stdout)).toEqual({
      userId: "ada",
      progressData: ada,
      lastProgressUpdate: daysAgo(3),
    });
    const lines = (await run("progress", "export", "--format", "ndjson")).stdout.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { userId: string }).userId).toSorted()).toEqual([
      "ada",
      "ben",
    ]);
    expect((await run("progress", "export", "-o", "all.json")).stdout).toContain("2 users written");
    const file = join(home.folder, "all.json");
    expect(JSON.parse(await readFile(file, "utf8"))).toHaveLength(2);
    expect((await run("progress", "export", "-o", "all.json")).exitCode).toBe(1);
    const csv = (await run("progress", "export", "ada", "--format", "csv")).stdout.split("\r\n");
    expect(csv[1]).toBe(`ada,mbti,true,100,1,${daysAgo(3)},${daysAgo(3)},0,0`);
    await writeFile(join(home.folder, "ada.json"), one.stdout);
    expect((await run("progress", "import", "ada", "ada.json")).stdout).toContain("nothing to do");
    expect((await run("progress", "import", "cleo", "ada.json")).exitCode).toBe(0);
    expect((await stored("cleo"))["lastProgressUpdate"]).toBe(daysAgo(3));
  });
});

const plainForeign = { list: [null, "x"], flag: false, empty: "" };

it("leaves the owner's item out", async () => {
  await home.look(async (aws) => {
    await (
      await aws.dynamodb()
    ).send(
      new PutItemCommand({ TableName: profileTable, Item: { userId: { S: "owner" }, ...foreignAttributes } }),
    );
  });
  const { stdout } = await home.run(["progress", "stats", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ users: 0 });
});

it.skipIf(!installed(chromiumPath))(
  "writes a report whose charts a real Chromium shows from disk",
  async () => {
    await home.look((aws) => putProfile(aws, "ben", { progressData: ben }));
    expect((await home.run(["progress", "stats", "--html", "report.html"])).exitCode).toBe(0);
    await using context = await launchChromium(join(home.folder, "profile"));
    const page = await context.newPage();
    await page.goto(pathToFileURL(join(home.folder, "report.html")).href);
    expect(await page.title()).toBe("Progress of the users: mawps-user-profiles");
    expect(await page.locator("svg.wide").count()).toBe(3);
    expect(await page.locator("svg.wide").nth(1).textContent()).toContain("ikigai");
  },
);
