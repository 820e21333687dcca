import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

interface Entry {
  readonly id: string;
  readonly actor: string;
  readonly action: string;
  readonly at: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const written: readonly Entry[] = [
  { id: "a-1", actor: "u-1", action: "signIn", at: "2026-02-01T08:00:00.000Z", details: { ok: true } },
  {
    id: "a-2",
    actor: "u-2",
    action: "signIn",
    at: "2026-02-02T08:00:00.000Z",
    details: { apiKey: "sk-12345" },
  },
  { id: "a-3", actor: "u-1", action: "export", at: "2026-02-03T08:00:00.000Z", details: {} },
];

/** Each site's words for an entry, and which of the questions its indexes answer. */
const sites: Record<
  "prework" | "prework-guide",
  {
    table: string;
    item: (entry: Entry) => Record<string, unknown>;
    indexed: readonly string[];
    accounts: string;
    account: Record<string, string>;
    inDetails: Record<string, string>;
    /** What an entry of mawps about u-1 has besides its details. */
    attributes: Record<string, unknown>;
  }
> = {
  prework: {
    table: "prework-audit-logs",
    item: ({ id, actor, action, at, details }: Entry) => ({
      id,
      userId: actor,
      action,
      timestamp: at,
      details,
      log: "all",
    }),
    indexed: ["", "--user", "--action"],
    accounts: "prework-users",
    account: { id: "u-1", email: "max@example.com" },
    inDetails: { userId: "u-1" },
    attributes: { userId: "local:tester", log: "all" },
  },
  "prework-guide": {
    table: "pre-work-audit-log",
    item: ({ id, actor, action, at, details }: Entry) => ({
      PK: "AUDIT#team#t-1",
      SK: `TIMESTAMP#${at}#${id}`,
      GSI1PK: `USER#${actor}`,
      GSI1SK: `TIMESTAMP#${at}`,
      action,
      newValues: details,
    }),
    indexed: ["--user"],
    accounts: "pre-work-users",
    account: { PK: "USER#u-1", SK: "METADATA", email: "max@example.com" },
    inDetails: {},
    attributes: {
      GSI1PK: "USER#local:tester",
      userId: "local:tester",
      entityType: "mawps",
      entityId: "u-1",
    },
  },
};

describe.each(["prework", "prework-guide"] as const)("the trail that the site of %s writes", (model) => {
  const { table, item, indexed } = sites[model];

  it("is listed newest first, of who did it, of an action and of a period, by its indexes", async () => {
    const site = modelSite(home, model);
    await site.put(table, written.map(item));
    const questions: [string[], string[]][] = [
      [[], ["a-3", "a-2", "a-1"]],
      [["--limit", "1"], ["a-3"]],
      [
        ["--user", "u-1"],
        ["a-3", "a-1"],
      ],
      [["--user", "u-1", "--action", "signIn"], ["a-1"]],
      [
        ["--action", "signIn"],
        ["a-2", "a-1"],
      ],
      [["--since", "2026-02-01T12:00", "--until", "2026-02-02T12:00"], ["a-2"]],
      [["--action", "nothing"], []],
    ];
    for (const [words, ids] of questions) {
      home.calls.length = 0;
      const { exitCode, stdout } = await site.run("audit", "list", "--site", ...words, "--json");
      const found = stdout.split("\n").filter((line) => line !== "");
      expect([words, exitCode, found.map((line) => (JSON.parse(line) as { id: string }).id)]).toEqual([
        words,
        0,
        ids,
      ]);
      const asked = words.find((word) => word === "--user" || word === "--action") ?? "";
      const reads = home.calls
        .map(({ command }) => command)
        .filter((name) => /^(Query|Scan)Command$/.test(name));
      expect([words, reads]).toEqual([words, [indexed.includes(asked) ? "QueryCommand" : "ScanCommand"]]);
    }
    const shown = await site.run("audit", "list", "--site", "--action", "signIn");
    expect(/all of \S+ is read/.test(shown.stderr)).toBe(!indexed.includes("--action"));
    expect((await site.run("audit", "list", "--action", "signIn")).stderr).toContain(
      "--site lists the trail",
    );
    expect(shown.stdout).toContain("u-2");
    expect(shown.stdout).not.toContain("sk-12345");
    const csv = await site.run("audit", "list", "--site", "--user", "u-1", "--csv");
    expect(csv.stderr).toContain("--user is who did it, not whom it was about");
    expect(csv.stdout.split("\r\n")).toHaveLength(4);
    expect(await site.rows(table)).toHaveLength(3);
  });
});

describe.each(["prework", "prework-guide"] as const)("what is done on the site of %s", (model) => {
  const { table, accounts, account, inDetails, attributes } = sites[model];

  it("is written into its own trail where the setting says so, in its shape, and told where it cannot be", async () => {
    const own = await makeHome();
    try {
      const site = modelSite(own, model, { MAWPS_SITE_AUDIT: "on" });
      await site.put(accounts, [account]);
      expect((await site.run("user", "hold", "add", "u-1", "--reason", "case 7")).exitCode).toBe(0);
      const read = async (...words: string[]) =>
        (await site.run("audit", "list", ...words, "--json")).stdout
          .split("\n")
          .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]))
          .map(({ id, timestamp, action, actor, details }) => ({ id, timestamp, action, actor, details }));
      const done = await read();
      expect(done.length).toBeGreaterThan(0);
      const written = done.map((entry) => ({
        ...entry,
        details: { ...(entry.details as Record<string, unknown>), ...inDetails },
      }));
      expect(await read("--site")).toEqual(written);
      expect(await read("--site", "--user", "local:tester")).toEqual(written);
      expect(await site.rows(table)).toEqual(
        written.map(() => expect.objectContaining(attributes) as unknown),
      );
      own.beforeCall = async (_command, input) => {
        if (JSON.stringify(input).includes(`"${table}"`)) throw new Error("the table is not to be had");
      };
      const { exitCode, stderr } = await site.run("user", "hold", "rm", "u-1", "--yes");
      own.beforeCall = undefined;
      expect([exitCode, stderr]).toEqual([
        0,
        expect.stringContaining("not all of it stands in the site's own trail"),
      ]);
      expect((await read()).length).toBe(done.length + 1);
      expect(await read("--site")).toEqual(written);
    } finally {
      await own.remove();
    }
  });
});

it("is none of MAWPS's, whose trail is that of mawps", async () => {
  const { exitCode, stderr } = await home.run(["audit", "list", "--site"]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("has no trail of its own")]);
});

it("of a site without one nothing is printed, no head of a CSV either", async () => {
  const { exitCode, stdout, stderr } = await home.run(["audit", "list", "--site", "--csv"]);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("without --site the list is of what mawps itself has done");
});
