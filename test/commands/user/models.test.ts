import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import type { Aws } from "../../../src/aws/clients.ts";
import { typed } from "../../../src/aws/dynamodb/plain.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { pictureOf, type Picture } from "../../site/picture.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

/** Somebody, and a neighbour whose id begins with theirs and whose address is the same in another case. */
const [person, neighbour] = ["user-1", "user-12"];
const [address, other] = ["eins@example.com", "EINS@example.com"];

/** In 2026, as the tests' clock has it, and far off. */
const [past, ttl] = ["2026-02-01T00:00:00.000Z", 1_900_000_000];

type Items = readonly (readonly [table: string, item: Readonly<Record<string, unknown>>])[];

interface Filled {
  readonly bucket: string;
  readonly items: (id: string, email: string) => Items;
  readonly keys: (id: string) => readonly string[];
  /** What still names the person afterwards: what is kept, and what expires. */
  readonly stays: readonly RegExp[];
  /** What an export has of them, by folder. */
  readonly folders: readonly string[];
}

const models: Readonly<Record<string, Filled>> = {
  prework: {
    bucket: "prework-media-bucket",
    items: (id, email) => [
      ["prework-users", { id, email, name: id, role: "user", passwordHash: "geheim-1" }],
      ["prework-user-profiles", { id: `p-${id}`, userId: id, name: "work", defaultKey: "true" }],
      [
        "prework-audit-logs",
        { id: `l-${id}`, userId: id, action: "login", timestamp: past, log: "all", ttl, details: "geheim-1" },
      ],
      [
        "prework-files",
        { id: `f-${id}`, uploadedBy: id, createdAt: past, s3Key: `users/${id}/uploads/2026/01/a.pdf` },
      ],
      ["prework-mawps-migrations", { id: "journal", entry: `e-${id}`, userId: id }],
    ],
    keys: (id) => [
      `users/${id}/profiles/p-${id}/avatar.jpg`,
      `users/${id}/uploads/2026/01/a.pdf`,
      `users/${id}/uploads/temp/f.tmp`,
      `users/${id}/exports/checklist-2026.pdf`,
      `users/${id}/unheard-of/b.txt`,
    ],
    stays: [/^item prework-audit-logs /],
    folders: [
      "exportFiles",
      "files",
      "migrationJournal",
      "profileFiles",
      "profiles",
      "siteAuditEntries",
      "tempFiles",
      "uploadFiles",
      "users",
    ],
  },
  "prework-guide": {
    bucket: "pre-work-media-uploads",
    items: (id, email) => [
      ["pre-work-users", { PK: `USER#${id}`, SK: "METADATA", email, name: id, passwordHash: "geheim-1" }],
      ["pre-work-users", { PK: `USER#${id}`, SK: "UNHEARD-OF", note: "x" }],
      [
        "pre-work-teams",
        {
          PK: `TEAM#t-${id}`,
          SK: "METADATA",
          GSI1PK: "ORG#o",
          GSI1SK: `TEAM#t-${id}`,
          name: "Team",
          managerId: id,
        },
      ],
      [
        "pre-work-teams",
        {
          PK: "TEAM#shared",
          SK: `MEMBER#${id}`,
          GSI2PK: `USER#${id}`,
          GSI2SK: "TEAM#shared",
          role: "member",
        },
      ],
      [
        "pre-work-assignments",
        { PK: `ASSIGNMENT#a-${id}`, SK: "METADATA", GSI1PK: `USER#${id}`, GSI1SK: `ASSIGNMENT#a-${id}` },
      ],
      ["pre-work-sessions", { PK: "SESSION#list#1", SK: `USER#${id}`, startedAt: past, ttl }],
      ["pre-work-sessions", { PK: "OPERATION#e", SK: `TIMESTAMP#${past}#o-${id}`, userId: id, ttl }],
      ["pre-work-sessions", { PK: "OPERATION#e", SK: `TIMESTAMP#${past}#without-${id}`, userId: id }],
      ["pre-work-sessions", { PK: `SYNC#s-${id}`, SK: "STATE", version: 3, modifiedBy: id }],
      [
        "pre-work-sessions",
        { PK: "EVENT#team#shared", SK: `TIMESTAMP#${past}#v-${id}`, userId: id, type: "joined" },
      ],
      [
        "pre-work-media",
        {
          PK: `MEDIA#f-${id}`,
          SK: "METADATA",
          GSI1PK: `USER#${id}`,
          GSI1SK: `MEDIA#f-${id}`,
          s3Key: `submissions/s/${id}/a.pdf`,
        },
      ],
      [
        "pre-work-audit-log",
        {
          PK: `AUDIT#list#l-${id}`,
          SK: `TIMESTAMP#${past}#1`,
          GSI1PK: `USER#${id}`,
          GSI1SK: `TIMESTAMP#${past}`,
          action: "x",
        },
      ],
      ["pre-work-mawps-migrations", { id: "journal", entry: `e-${id}`, userId: id }],
    ],
    keys: (id) => [
      `submissions/s/${id}/a.pdf`,
      `submissions/s/${id}/deeper/b.pdf`,
      `users/${id}/profile/avatar.png`,
    ],
    stays: [/^item pre-work-audit-log /, /^item pre-work-sessions .*(SESSION#list|#o-user-1)/],
    folders: [
      "assignments",
      "avatarFiles",
      "events",
      "media",
      "migrationJournal",
      "operations",
      "sessions",
      "siteAuditEntries",
      "submissionFiles",
      "syncStates",
      "teamMembers",
      "teams",
      "users",
    ],
  },
};

/** Ids of things are no names of people: a team, a file. */
const naming = (id: string, email: string) => new RegExp(`(?<![a-z]-)${id}(?!\\d)|${email}`);

describe.each(Object.entries(models))(
  "a person of the model %s",
  (model, { bucket, items, keys, stays, folders }) => {
    let home: TestHome;
    const env = { MAWPS_MODEL: model, MAWPS_BACKUP_PASSPHRASE: "correct horse battery staple" };
    const pool = localPoolId("us-east-1");
    const picture = () => pictureOf(home, pool, env);
    const trail = /^(item|object) \S*(mawps-audit-log| audit\/)/;
    const lines = (all: Picture, pattern: RegExp) =>
      [...all].filter(([name, state]) => !trail.test(name) && (pattern.test(name) || pattern.test(state)));

    async function fill(aws: Aws, id: string, email: string): Promise<void> {
      const dynamodb = await aws.dynamodb();
      for (const [TableName, item] of items(id, email))
        await dynamodb.send(new PutItemCommand({ TableName, Item: typed(item).M ?? {} }));
      for (const key of keys(id))
        for (const text of ["alt", "neu"])
          await putObject(aws, { bucket, key, body: Buffer.from(`${text} ${id}`) });
    }

    beforeAll(async () => {
      home = await makeHome();
      await home.run(["setup", "--yes"], { env });
      await home.look(async (aws) => {
        await fill(aws, person, address);
        await fill(aws, neighbour, other);
      }, env);
      const made = await home.run(["backup", "create"], { env });
      if (made.exitCode !== 0) throw new Error(made.stderr);
    });
    afterAll(() => home.remove());

    it("is exported with all that is linked to them, and with nothing of the neighbour or secret", async () => {
      const { exitCode, stderr } = await home.run(["user", "export", person, "-o", "out.zip"], { env });
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
      const program =
        "import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist(): print(n); print(z.read(n).decode())";
      const text = execFileSync("python3", ["-c", program, join(home.folder, "out.zip")]).toString();
      const found = new Set([...text.matchAll(/^(\w+)\/\S+$/gm)].map((match) => match[1] ?? ""));
      expect([...found].toSorted()).toEqual(folders);
      expect(text).not.toMatch(/user-12|EINS@|geheim-1/);
      expect(text.match(/^neu user-1$/gm)?.length).toBe(keys(person).length);
    });

    it("is listed and shown with nothing secret, and refused where the address is also that of another", async () => {
      const run = (...argv: string[]) => home.run(["user", ...argv], { env });
      const idsIn = (stdout: string) =>
        stdout
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => (JSON.parse(line) as { userId: string }).userId)
          .toSorted();
      const all = await run("list", "--json");
      expect(idsIn(all.stdout)).toEqual([person, neighbour]);
      expect(all.stdout).not.toMatch(/geheim|passwordHash|UNHEARD/);
      for (const [flags, found] of [
        [
          ["--where", "email=~EINS@"],
          [person, neighbour],
        ],
        [["--where", `email=${other}`, "--status", "enabled"], [neighbour]],
        [["--where", `name=${person}`], [person]],
        [["--status", "disabled"], []],
        [["--where", "passwordHash=geheim-1"], []],
      ] as const)
        expect([flags, idsIn((await run("list", "--json", ...flags)).stdout)]).toEqual([flags, found]);
      const csv = await run("list", "--csv", "--where", `email=${address}`);
      expect(csv.stdout.split("\r\n").slice(0, 2)).toEqual([
        "email,name,username,userId,status,enabled,createdAt,modifiedAt,kind",
        `${address},${person},,${person},,true,,,user`,
      ]);
      const shown = await run("show", person, "--json");
      expect(JSON.parse(shown.stdout)).toMatchObject({
        userId: person,
        account: { kind: "user", enabled: true, attributes: { email: address, name: person } },
        items: { accounts: items(person, address).filter(([table]) => table.endsWith("-users")).length },
        lastActivity: null,
      });
      expect(shown.stdout).not.toContain("geheim");
      const several = await run("show", address.toUpperCase());
      expect([several.exitCode, several.stdout]).toEqual([1, ""]);
      expect(several.stderr).toMatch(/2 users have the address .*user-1.*user-1/);
      expect((await run("show", "nobody")).exitCode).toBe(1);
      expect((await run("create", "neu@example.com")).stderr).toContain("done in a user pool");
    });

    it("is switched off and on in the account alone, told in the trail; nobody else's account changes", async () => {
      const run = (...argv: string[]) => home.run(["user", ...argv], { env });
      const isAccount = /^item (prework|pre-work)-users /;
      const before = lines(await picture(), isAccount);
      const dry = await run("disable", person, "--dry-run", "--json");
      expect(JSON.parse(dry.stdout)).toMatchObject({ enabled: true, changed: true, dryRun: true });
      expect(lines(await picture(), isAccount)).toEqual(before);
      const off = await run("disable", person, "--yes", "--json");
      expect(JSON.parse(off.stdout)).toMatchObject({ userId: person, enabled: false, changed: true });
      expect(off.stdout).not.toContain("geheim");
      expect((await run("disable", person, "--yes")).stdout).toContain("was disabled already");
      const now = lines(await picture(), isAccount);
      const states = new Map(before);
      const changed = now.filter(([name, state]) => states.get(name) !== state);
      expect(changed).toEqual([
        [expect.stringContaining(person), expect.stringContaining('"isActive":{"BOOL":false}')],
      ]);
      expect(changed[0]?.[1]).toContain("geheim-1");
      expect(JSON.parse((await run("enable", person, "--json")).stdout)).toMatchObject({ enabled: true });
      const entries = await home.run(["audit", "list", "--user", person, "--json"], { env });
      expect(entries.stdout.match(/user\.(dis|en)abled/g)).toEqual(["user.enabled", "user.disabled"]);
      // What the website makes of another value than true and false is not known: it is written all the same.
      await home.look(async (aws) => {
        for (const [name] of changed) {
          const [, TableName = "", key = "{}"] = /^item (\S+) (.*)$/.exec(name) ?? [];
          await (
            await aws.dynamodb()
          ).send(
            new UpdateItemCommand({
              TableName,
              Key: Object.fromEntries(
                Object.entries(JSON.parse(key) as Record<string, string>).map(([field, S]) => [field, { S }]),
              ),
              UpdateExpression: "SET isActive = :one",
              ExpressionAttributeValues: { ":one": { N: "1" } },
            }),
          );
        }
      }, env);
      expect((await run("disable", person, "--yes", "--json")).stdout).toContain('"changed":true');
      expect(lines(await picture(), isAccount)).toEqual(now);
      expect((await run("disable", "nobody", "--yes")).stderr).toContain('no account is "nobody"');
      expect(lines(await picture(), isAccount).length).toBe(before.length);
    });

    it("is not erased while a legal hold stands, which is listed by their address", async () => {
      const held = await home.run(["user", "hold", "add", person, "--reason", "case 1"], { env });
      expect([held.exitCode, held.exitCode === 0 ? "" : held.stderr]).toEqual([0, ""]);
      const listed = await home.run(["user", "hold", "list", "--json"], { env });
      expect(JSON.parse(listed.stdout)).toMatchObject({ name: address, userId: person });
      const before = await picture();
      const { exitCode, stderr } = await home.run(["user", "erase", person, "--confirm", address], { env });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("legal hold (case 1)")]);
      expect(await picture()).toEqual(before);
      expect((await home.run(["user", "hold", "rm", person, "--yes"], { env })).exitCode).toBe(0);
    });

    it("is erased everywhere, and comes back by no restore; the neighbour stays byte for byte", async () => {
      const before = await picture();
      expect(lines(before, naming(person, address)).length).toBeGreaterThan(8);
      const argv = ["user", "erase", person, "--confirm", address, "--receipt", "r.json", "--json"];
      const run = await home.run(argv, { env });
      expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
      const after = await picture();
      const left = lines(after, naming(person, address)).map(([name]) => name);
      expect(left.filter((name) => !stays.some((each) => each.test(name)))).toEqual([]);
      for (const each of stays) expect([each, left.some((name) => each.test(name))]).toEqual([each, true]);
      expect(lines(before, naming(neighbour, other)).length).toBeGreaterThan(8);
      expect(lines(after, naming(neighbour, other))).toEqual(lines(before, naming(neighbour, other)));
      expect(await readFile(join(home.folder, "r.json"), "utf8")).not.toMatch(/user-1|eins@/);
      const verified = await home.run(["user", "erase", "verify", "r.json"], { env });
      expect([verified.exitCode, verified.stderr.includes("error")]).toEqual([0, false]);
      const restored = await home.run(["backup", "restore", "--yes", "--on-conflict", "skip"], { env });
      expect({ exitCode: restored.exitCode, stderr: restored.exitCode === 0 ? "" : restored.stderr }).toEqual(
        {
          exitCode: 0,
          stderr: "",
        },
      );
      expect(restored.stdout).toMatch(/[1-9]\d* suppressed/);
      expect(lines(await picture(), naming(person, address)).map(([name]) => name)).toEqual(left);
    });
  },
);

it("takes names out of what stays in prework-guide, and leaves the rest of it", async () => {
  const home = await makeHome();
  const env = { MAWPS_MODEL: "prework-guide" };
  try {
    await home.run(["setup", "--yes"], { env });
    const filled = models["prework-guide"];
    await home.look(async (aws) => {
      for (const [TableName, item] of filled?.items(person, address) ?? [])
        await (await aws.dynamodb()).send(new PutItemCommand({ TableName, Item: typed(item).M ?? {} }));
    }, env);
    const plan = await home.run(["user", "erase", address.toUpperCase(), "--dry-run"], { env });
    expect(plan.stdout).toMatch(/what happened in teams +the name taken out of 1 place/);
    expect(plan.stdout).toMatch(/who works on what now +1 item, gone by 2030-03-17/);
    const run = await home.run(["user", "erase", person, "--yes", "--receipt", "r.json"], { env });
    expect(run.exitCode).toBe(0);
    const all = await pictureOf(home, localPoolId("us-east-1"), env);
    const state = (pattern: RegExp) => [...all].flatMap(([name, text]) => (pattern.test(name) ? [text] : []));
    expect(state(/pre-work-teams .*METADATA/)).toEqual([
      expect.stringContaining('"managerId":{"S":"deleted-user"}'),
    ]);
    expect(state(/pre-work-sessions .*SYNC/)).toEqual([
      expect.stringContaining('"modifiedBy":{"S":"deleted-user"}'),
    ]);
    expect(state(/pre-work-sessions .*EVENT/)).toEqual([
      expect.stringMatching(/"type":\{"S":"joined"\}.*"deleted-user"/),
    ]);
    expect(JSON.parse(await readFile(join(home.folder, "r.json"), "utf8"))).toMatchObject({
      isComplete: true,
      erased: { changes: { teams: 1, "how far a sync is": 1, "what happened in teams": 1 } },
    });
  } finally {
    await home.remove();
  }
});

it("leaves what is somebody else's or expires by now, though it was planned to go", async () => {
  const home = await makeHome();
  const env = { MAWPS_MODEL: "prework-guide" };
  const items = models["prework-guide"]?.items(person, address) ?? [];
  const put = async (aws: Aws, mark: RegExp, change: Readonly<Record<string, unknown>> = {}) => {
    const dynamodb = await aws.dynamodb();
    for (const [TableName, item] of items.filter(([, each]) => mark.test(JSON.stringify(each))))
      await dynamodb.send(new PutItemCommand({ TableName, Item: typed({ ...item, ...change }).M ?? {} }));
  };
  try {
    await home.run(["setup", "--yes"], { env });
    await home.look((aws) => put(aws, /"PK":"(MEDIA#|USER#|TEAM#t-)|#without-/), env);
    home.beforeCall = async (command, input, aws) => {
      const text = JSON.stringify(input);
      if (command === "PutItemCommand" && text.includes('"erasures"')) await put(aws, /#without-/, { ttl });
      // Names in what stays are taken out behind the last search, and before any item is deleted.
      if (command === "UpdateItemCommand" && text.includes("pre-work-teams"))
        await put(aws, /"MEDIA#/, { GSI1PK: `USER#${neighbour}` });
    };
    const run = await home.run(["user", "erase", person, "--yes", "--receipt", "r.json"], { env });
    expect([run.exitCode, run.exitCode === 0 ? "" : run.stderr]).toEqual([0, ""]);
    const left = [...(await pictureOf(home, localPoolId("us-east-1"), env))];
    const state = (pattern: RegExp) => left.flatMap(([name, text]) => (pattern.test(name) ? [text] : []));
    expect(state(/^item pre-work-media /)).toEqual([expect.stringContaining(`USER#${neighbour}`)]);
    expect(state(/^item pre-work-sessions /)).toEqual([expect.stringContaining(`"ttl":{"N":"${ttl}"}`)]);
    expect(state(/^item pre-work-users /)).toEqual([]);
    expect(JSON.parse(await readFile(join(home.folder, "r.json"), "utf8"))).toMatchObject({
      isComplete: true,
      expiring: [{ what: "what was done while working together", items: 1 }],
    });
  } finally {
    await home.remove();
  }
});

it("exports no part of an item that only mentions the person, no secret of a part, and finds addresses in whatever case", async () => {
  const home = await makeHome();
  try {
    const model = JSON.parse(await readFile("models/prework.json", "utf8")) as {
      entities: Record<string, object> & {
        users: { fields: Record<string, unknown>; links: object[] };
      };
    };
    const { users } = model.entities;
    const link = { subject: "user", find: "scan", erase: "null" };
    users.fields["invitedBy"] = "text";
    users.links.push({ ...link, role: "mention", by: "invitedBy" });
    model.entities["notes"] = {
      what: "notes",
      from: { table: "users" },
      at: "notes[]",
      fields: { id: "text", userId: "text", pin: { type: "text", secret: true } },
      links: [{ ...link, role: "subject", by: "userId" }],
    };
    await writeFile(join(home.folder, "own.json"), JSON.stringify(model));
    const env = { MAWPS_MODEL: "./own.json" };
    expect((await home.run(["setup", "--yes"], { env })).stderr).not.toContain("error");
    await home.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      const all = [
        { id: person, email: address, notes: [{ id: "note-own", pin: "4711" }] },
        { id: neighbour, email: address, invitedBy: person, notes: [{ id: "note-foreign", pin: "4712" }] },
        { id: "user-3", email: "Drei@Example.com" },
      ];
      const theirs = typed({ id: "p-3", userId: "dREI@example.com" }).M ?? {};
      await dynamodb.send(new PutItemCommand({ TableName: "prework-user-profiles", Item: theirs }));
      for (const item of all)
        await dynamodb.send(new PutItemCommand({ TableName: "prework-users", Item: typed(item).M ?? {} }));
    }, env);
    const { exitCode, stdout, stderr } = await home.run(
      ["user", "export", person, "-o", "out.zip", "--json"],
      { env },
    );
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    const program =
      "import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist(): print(z.read(n).decode())";
    const text = execFileSync("python3", ["-c", program, join(home.folder, "out.zip")]).toString();
    expect(text).toContain("note-own");
    expect(text).not.toMatch(/note-foreign|471[12]/);
    const { leftOut } = JSON.parse(stdout) as { leftOut: object[] };
    expect(leftOut).toEqual(
      expect.arrayContaining([
        { entity: "users", path: "notes[].pin", reason: "secret", times: 1 },
        { entity: "notes", path: "pin", reason: "secret", times: 1 },
        { entity: "users", path: "notes", reason: "others", times: 1 },
        { entity: "user-account", path: "email", reason: "shared", times: 1 },
      ]),
    );
    const orphans = await home.run(["user", "orphans", "--json"], { env });
    const lines = orphans.stdout.split("\n").filter((line) => line !== "");
    const ids = lines.map((line) => (JSON.parse(line) as { userId: string }).userId);
    expect(ids.toSorted()).toEqual([person, neighbour]);
  } finally {
    await home.remove();
  }
});

it("takes each item for one kind, in a table of several and with owners that are numbers, and finds whose have no account", async () => {
  const home = await makeHome();
  try {
    const model = JSON.parse(await readFile("models/prework-guide.json", "utf8")) as {
      tables: Record<string, object>;
      entities: Record<string, object>;
    };
    const link = { subject: "user", role: "subject" };
    model.tables["orders"] = { name: "pre-work-orders", key: "id", indexes: { OfOwner: { key: "owner" } } };
    model.entities["orders"] = {
      what: "orders",
      from: { table: "orders" },
      fields: { owner: "number", payer: "number" },
      links: [
        { ...link, by: "owner", find: { index: "OfOwner" }, erase: "delete" },
        { ...link, role: "mention", by: "payer", find: "scan", erase: { set: "0" } },
      ],
    };
    model.entities["keptAccounts"] = {
      what: "accounts of old",
      from: { table: "users" },
      key: { PK: "{userId}", SK: "METADATA" },
      when: { isOld: true },
      links: [{ ...link, by: "userId", find: "key", erase: { keep: { basis: "duty" } } }],
    };
    await writeFile(join(home.folder, "own.json"), JSON.stringify(model));
    const env = { MAWPS_MODEL: "./own.json" };
    expect((await home.run(["setup", "--yes"], { env })).stderr).not.toContain("error");
    const account = { SK: "METADATA", email: "sieben@example.com", isOld: true };
    await home.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      const put = async (TableName: string, item: Readonly<Record<string, unknown>>) =>
        dynamodb.send(new PutItemCommand({ TableName, Item: typed(item).M ?? {} }));
      await put("pre-work-users", { ...account, PK: "USER#7" });
      await put("pre-work-users", { ...account, PK: "70", email: "other@example.com" });
      await put("pre-work-users", { PK: "USER#gone", SK: "UNHEARD-OF" });
      await put("pre-work-orders", { id: "a", owner: 7 });
      await put("pre-work-orders", { id: "b", owner: 70, payer: 7 });
    }, env);
    const orphans = async () => {
      const { stdout } = await home.run(["user", "orphans", "--json"], { env });
      const lines = stdout.split("\n").filter((line) => line !== "");
      return lines.map((line) => JSON.parse(line) as object);
    };
    const orphan = { kind: "data without account" };
    const others = [
      { ...orphan, userId: "70", places: ["pre-work-orders"] },
      { ...orphan, userId: "gone", places: ["pre-work-users"] },
    ];
    expect(await orphans()).toMatchObject(others);
    const argv = ["user", "erase", "sieben@example.com", "--yes", "--receipt", "r.json"];
    expect((await home.run(argv, { env })).exitCode).toBe(0);
    const all = await pictureOf(home, localPoolId("us-east-1"), env);
    const left = [...all].filter(([name]) => /^item pre-work-(users|orders) /.test(name));
    expect(left.map(([name, state]) => `${name} ${state}`).toSorted()).toEqual([
      expect.stringMatching(/orders .*"70".*"payer":\{"N":"0"\}/),
      expect.stringMatching(/users .*"70"/),
      expect.stringMatching(/users .*USER#gone/),
    ]);
    expect(await orphans()).toMatchObject(others);
  } finally {
    await home.remove();
  }
});
