import {
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  PutItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import type { Aws } from "../../../src/aws/clients.ts";
import { typed } from "../../../src/aws/dynamodb/plain.ts";
import { pictureOf } from "../../site/picture.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

/** Letters lie in threads, and enclosures in letters: they are of whose thread that is. */
const env = { MAWPS_MODEL: "./own.json", MAWPS_BACKUP_PASSPHRASE: "correct horse battery staple" };
const old = "2026-01-01T00:00:00.000Z";
const items: readonly (readonly [table: string, item: Readonly<Record<string, unknown>>])[] = [
  ["prework-users", { id: "user-1", email: "eins@example.com" }],
  ["prework-users", { id: "user-12", email: "zwei@example.com" }],
  ["threads", { PK: "THREAD#t-1", SK: "METADATA", GSI1PK: "USER#user-1" }],
  ["threads", { PK: "THREAD#t-12", SK: "METADATA", GSI1PK: "USER#user-12" }],
  ["letters", { id: "l-1", threadId: "t-1", at: old, text: "mine" }],
  ["letters", { id: "l-2", threadId: "t-12", at: old, text: "of others" }],
  ["enclosures", { id: "e-1", letterId: "l-1", text: "mine" }],
  ["enclosures", { id: "e-2", letterId: "l-2", text: "of others" }],
];

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
  const model = JSON.parse(await readFile("models/prework.json", "utf8")) as {
    tables: Record<string, object>;
    entities: Record<string, object>;
  };
  const link = { subject: "user", role: "subject", erase: "delete" };
  Object.assign(model.tables, {
    threads: { name: "threads", key: ["PK", "SK"], indexes: { OfUser: { key: ["GSI1PK"] } } },
    letters: { name: "letters", key: ["id"], indexes: { OfThread: { key: ["threadId"] } } },
    enclosures: { name: "enclosures", key: ["id"] },
  });
  Object.assign(model.entities, {
    enclosures: {
      what: "enclosures",
      from: { table: "enclosures" },
      fields: { letterId: "text" },
      refs: { letterId: "letters.id" },
      links: [{ ...link, by: { via: "letterId" }, find: "scan" }],
    },
    stamps: {
      what: "stamps, which are nobody's by themselves",
      from: { table: "enclosures" },
      at: "stamps[]",
      fields: { value: "text" },
      personal: false,
      reason: "whoever sticks them on",
    },
    letters: {
      what: "letters",
      from: { table: "letters" },
      fields: { id: "text", threadId: "text", at: "isoTime" },
      refs: { threadId: "threads.threadId" },
      links: [{ ...link, by: { via: "threadId" }, find: { index: "OfThread" } }],
      expires: [{ id: "old-letters", what: "old letters", after: 30, since: "at", do: "delete", by: "run" }],
    },
    threads: {
      what: "threads",
      from: { table: "threads" },
      key: { PK: "THREAD#{threadId}", SK: "METADATA", GSI1PK: "USER#{userId}" },
      links: [{ ...link, by: "userId", find: { index: "OfUser" } }],
    },
  });
  await writeFile(join(home.folder, "own.json"), JSON.stringify(model));
  const text = JSON.stringify(model);
  const renamed = text.replace('"erase":"delete","by":"userId","find":{"index":"OfUser"}', (found) =>
    found.replace("delete", "pseudonym"),
  );
  if (renamed === text) throw new Error("no link of threads");
  await writeFile(join(home.folder, "renamed.json"), renamed);
  const made = await home.run(["setup", "--yes"], { env });
  if (made.exitCode !== 0) throw new Error(made.stderr);
  await home.look(async (aws) => {
    const dynamodb = await aws.dynamodb();
    for (const [TableName, item] of items)
      await dynamodb.send(new PutItemCommand({ TableName, Item: typed(item).M ?? {} }));
  }, env);
});
afterAll(() => home.remove());

async function stored(of = home): Promise<string[]> {
  const all = await pictureOf(of, localPoolId("us-east-1"), env);
  const ids = [...all.keys()].flatMap(
    (name) => /^item (?:threads|letters|enclosures) .*"((?:THREAD#)?[tle]-\d+)"/.exec(name)?.[1] ?? [],
  );
  return ids.toSorted();
}

it("holds letters for whose thread they are in, with every reason, and lets go of others'", async () => {
  for (const reason of ["case 1", "case 2"])
    expect(await home.run(["user", "hold", "add", "user-1", "--reason", reason], { env })).toMatchObject({
      exitCode: 0,
    });
  const plan = await home.run(["retention", "plan", "--json"], { env });
  const told = plan.stdout.split("\n").flatMap((line) => {
    if (line === "") return [];
    const { action, item, reason } = JSON.parse(line) as { action: string; item?: object; reason: string };
    return `${action} ${JSON.stringify(item)} ${reason}`;
  });
  expect(told.toSorted()).toEqual([
    'keep {"id":"l-1"} legal hold of the person: case 1; case 2',
    'purge {"id":"l-2"} at is 2026-01-01',
  ]);
  for (const number of ["1", "2"])
    expect((await home.run(["user", "hold", "rm", "--hold", number, "--yes"], { env })).exitCode).toBe(0);
});

describe("an erasure", () => {
  let other: TestHome;
  beforeEach(async () => {
    other = await home.copy();
  });
  afterEach(() => other.remove());

  const argv = ["user", "erase", "user-1", "--yes", "--receipt", "r.json"];
  const everything = ["THREAD#t-1", "THREAD#t-12", "e-1", "e-2", "l-1", "l-2"];
  const ofOthers = ["THREAD#t-12", "e-2", "l-2"];
  const deletes = (table: string, command: string, input: unknown) =>
    command === "TransactWriteItemsCommand" && JSON.stringify(input).includes(`"TableName":"${table}"`);
  const put = async (aws: Aws, TableName: string, item: Readonly<Record<string, unknown>>) => {
    await (await aws.dynamodb()).send(new PutItemCommand({ TableName, Item: typed(item).M ?? {} }));
  };
  const enclosure = { id: "e-1", letterId: "l-1", text: "mine" };

  it("that may not delete something leaves that by which it is found, and goes on later", async () => {
    other.beforeCall = async (command, input) => {
      if (!deletes("enclosures", command, input)) return;
      const $metadata = { httpStatusCode: 400 };
      throw Object.assign(new Error("no"), { name: "AccessDeniedException", $metadata });
    };
    expect((await other.run(argv, { env })).exitCode).toBe(3);
    expect(await stored(other)).toEqual(everything);
    other.beforeCall = undefined;
    expect((await other.run(argv, { env })).exitCode).toBe(0);
    expect(await stored(other)).toEqual(ofOthers);
  });

  it("to which a hold comes leaves that by which what it is on is found, and goes on later", async () => {
    other.beforeCall = async (command, input, aws) => {
      if (deletes("enclosures", command, input))
        await put(aws, "enclosures", { ...enclosure, legalHold: "case 3" });
    };
    const { exitCode, stderr } = await other.run(argv, { env });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("legal hold since: case 3")]);
    expect(await stored(other)).toEqual(everything);
    other.beforeCall = undefined;
    await other.look((aws) => put(aws, "enclosures", enclosure), env);
    expect((await other.run(argv, { env })).exitCode).toBe(0);
    expect(await stored(other)).toEqual(ofOthers);
  });

  it("leaves all where a part that is linked to nobody is under a hold", async () => {
    const held = { ...enclosure, stamps: [{ value: "1" }, { value: "2", legalHold: "case 4" }] };
    await other.look((aws) => put(aws, "enclosures", held), env);
    const { exitCode, stderr } = await other.run(argv, { env });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("legal hold (case 4)")]);
    expect(await stored(other)).toEqual(everything);
  });

  it("takes what came while that went by which it is found", async () => {
    let times = 0;
    other.beforeCall = async (command, input, aws) => {
      if (!deletes("threads", command, input)) return;
      times += 1;
      await put(aws, "letters", { id: "l-3", threadId: "t-1", at: old });
      await put(aws, "enclosures", { id: "e-3", letterId: "l-3" });
    };
    expect((await other.run(argv, { env })).exitCode).toBe(0);
    expect([times, await stored(other)]).toEqual([1, ofOthers]);
  });

  it("looks into a table that was not there when it was planned", async () => {
    const late = "prework-user-profiles";
    await other.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(new UpdateTableCommand({ TableName: late, DeletionProtectionEnabled: false }));
      await dynamodb.send(new DeleteTableCommand({ TableName: late }));
    }, env);
    let isMade = false;
    other.beforeCall = async (command, input, aws) => {
      if (isMade || command !== "PutItemCommand" || !JSON.stringify(input).includes('"erasures"')) return;
      isMade = true;
      await (
        await aws.dynamodb()
      ).send(
        new CreateTableCommand({
          TableName: late,
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        }),
      );
      for (const id of ["user-1", "user-12"]) await put(aws, late, { id: `p-${id}`, userId: id });
    };
    expect((await other.run(argv, { env })).exitCode).toBe(0);
    const all = await pictureOf(other, localPoolId("us-east-1"), env);
    expect([...all.keys()].filter((name) => name.startsWith(`item ${late} `))).toEqual([
      `item ${late} {"id":"p-user-12"}`,
    ]);
  });

  it("killed before it is through finds by what keeps its name until then what is left", async () => {
    const renamed = { MAWPS_MODEL: "./renamed.json" };
    other.beforeCall = async (command, input) => {
      if (deletes("letters", command, input)) throw new Error("killed");
    };
    expect((await other.run(argv, { env: renamed })).exitCode).toBe(1);
    expect(await stored(other)).toEqual(everything.filter((id) => id !== "e-1"));
    other.beforeCall = undefined;
    expect((await other.run(argv, { env: renamed })).exitCode).toBe(0);
    expect(await stored(other)).toEqual(["THREAD#t-1", ...ofOthers]);
    const all = await pictureOf(other, localPoolId("us-east-1"), env);
    expect([...all].filter(([name]) => name.includes('"THREAD#t-1"')).map(String)).toEqual([
      expect.stringContaining('"USER#erased-'),
    ]);
  });
});

it("gives out and erases what goes by something of the person's, and nothing of others", async () => {
  const { exitCode, stderr } = await home.run(["user", "export", "user-1", "-o", "out.zip"], { env });
  expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
  const program =
    "import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist(): print(n); print(z.read(n).decode())";
  const text = execFileSync("python3", ["-c", program, join(home.folder, "out.zip")]).toString();
  expect(text).toMatch(/"l-1"[^]*"e-1"|"e-1"[^]*"l-1"/);
  expect(text).not.toMatch(/of others|"[le]-2"/);
  expect((await home.run(["backup", "create"], { env })).exitCode).toBe(0);
  const argv = ["user", "erase", "user-1", "--yes", "--deep", "--json"];
  const erased = await home.run(argv, { env });
  expect([erased.exitCode, erased.exitCode === 0 ? "" : erased.stderr]).toEqual([0, ""]);
  expect(JSON.parse(erased.stdout)).toMatchObject({
    erased: { items: { threads: 1, letters: 1, enclosures: 1 } },
    mentions: [],
  });
  expect(await stored()).toEqual(["THREAD#t-12", "e-2", "l-2"]);
  expect((await home.run(["user", "erase", "verify", "receipt.json"], { env })).exitCode).toBe(0);
  await home.look(async (aws) => {
    const dynamodb = await aws.dynamodb();
    for (const [TableName, key] of [
      ["threads", { PK: "THREAD#t-12", SK: "METADATA" }],
      ["letters", { id: "l-2" }],
      ["enclosures", { id: "e-2" }],
    ] as const)
      await dynamodb.send(new DeleteItemCommand({ TableName, Key: typed(key).M ?? {} }));
  }, env);
  expect(await stored()).toEqual([]);
  const restored = await home.run(["backup", "restore", "--yes", "--on-conflict", "skip"], { env });
  expect([restored.exitCode, restored.exitCode === 0 ? "" : restored.stderr]).toEqual([0, ""]);
  expect(await stored()).toEqual(["THREAD#t-12", "e-2", "l-2"]);
  await home.look(async (aws) => {
    const dynamodb = await aws.dynamodb();
    const TableName = "threads";
    await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
    await dynamodb.send(new DeleteTableCommand({ TableName }));
  }, env);
  expect((await home.run(["backup", "create"], { env })).exitCode).toBe(0);
  const later = await home.run(["backup", "restore", "--dry-run", "--json"], { env });
  expect(JSON.parse(later.stdout)).toMatchObject({
    lost: ["letters", "enclosures"].map((what) =>
      expect.stringContaining(`what tells whose ${what} are: erased people are not left out`),
    ),
  });
});
