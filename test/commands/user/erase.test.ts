import {
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminUpdateUserAttributesCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { execFileSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { typed } from "../../../src/aws/dynamodb/plain.ts";
import { putHold } from "../../../src/audit/holds.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { pictureOf, type Picture } from "../../site/picture.ts";
import { documentBucket, profileTable, putProfile } from "../../support/documents.ts";
import { buildMortal } from "../../support/mortal-process.ts";
import { makeSitePlaces, putEverything } from "../../support/whole-person.ts";
import { afterRealClockMs, makeHome, type TestHome } from "../../support/world.ts";

const UserPoolId = localPoolId("eu-central-1");

/** The person, the neighbour whose id begins with theirs, and somebody with an account. */
const [person, neighbour] = ["user-1", "user-12"];
const address = "max@example.com";

let full: TestHome;
let home: TestHome;
let sub: string;

beforeAll(async () => {
  full = await makeHome();
  await full.run(["setup", "--yes"]);
  await full.look(async (aws) => {
    await makeSitePlaces(aws);
    await putEverything(aws, person, "eins@example.com");
    await putEverything(aws, neighbour, "EINS@example.com");
    const cognito = await aws.cognito();
    const account = {
      UserPoolId,
      Username: address,
      MessageAction: "SUPPRESS" as const,
      UserAttributes: [
        { Name: "email", Value: address },
        { Name: "email_verified", Value: "true" },
      ],
    };
    const { User } = await cognito.send(new AdminCreateUserCommand(account));
    sub = User?.Username ?? "";
    await putEverything(aws, sub, address);
  });
  await full.run(["doc", "url", person, "doc-1", "--expires", "7d"]);
  await full.run(["doc", "rm", person, "doc-2", "--hard", "--yes"]);
  await full.run(["doc", "rm", neighbour, "doc-2", "--hard", "--yes"]);
});

afterAll(() => full.remove());

const picture = () => pictureOf(home, UserPoolId);

/** What of the stores tells of somebody, but for the audit trail, which there is a duty to keep. */
function telling(all: Picture, pattern: RegExp): string[] {
  return [...all]
    .filter(([name, state]) => pattern.test(name) || pattern.test(state))
    .map(([name]) => name)
    .filter((name) => !/^\w+ mawps-audit-log |^object \S+ audit\//.test(name));
}

const aboutPerson = /user-1(?!\d)|eins@example\.com/;
const aboutNeighbour = /user-12|EINS@example\.com/;

function lines(all: Picture, pattern: RegExp): [string, string | undefined][] {
  return telling(all, pattern).map((name) => [name, all.get(name)]);
}

describe("user erase", () => {
  beforeEach(async () => {
    home = await full.copy();
  });
  afterEach(() => home.remove());

  it("erases somebody everywhere, and leaves the neighbour byte for byte as they were", async () => {
    const before = await picture();
    expect(telling(before, aboutPerson).length).toBeGreaterThan(15);
    const { exitCode, stderr } = await home.run(["user", "erase", person, "--confirm", "eins@example.com"]);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    const page = await readFile(join(home.folder, "receipt.html"), "utf8");
    expect(page).toContain("complete: searched again, and nothing was found");
    expect(page).not.toMatch(aboutPerson);
    const after = await picture();
    expect(telling(after, aboutPerson)).toEqual([]);
    expect(lines(before, aboutNeighbour).length).toBeGreaterThan(15);
    expect(lines(after, aboutNeighbour)).toEqual(lines(before, aboutNeighbour));
    expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
  });

  it("deletes the account last, and finds all that stands under its address", async () => {
    const argv = [
      "user",
      "erase",
      address,
      "--confirm",
      address.toUpperCase(),
      "--receipt",
      "r.json",
      "--json",
    ];
    const { exitCode, stdout, stderr } = await home.run(argv);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ isComplete: true, erased: { account: true } });
    const after = await picture();
    expect(telling(after, new RegExp(`${sub}|max@example\\.com`))).toEqual([]);
    const receipt = await readFile(join(home.folder, "r.json"), "utf8");
    expect(receipt).not.toContain(sub);
    expect(receipt).not.toContain("max@");
    const verified = await home.run(["user", "erase", "verify", "r.json"]);
    expect([verified.exitCode, verified.stdout]).toEqual([
      0,
      expect.stringContaining("nothing of the person"),
    ]);
    await home.look((aws) => putProfile(aws, sub));
    const again = await home.run(["user", "erase", "verify", "r.json"]);
    expect([again.exitCode, again.stdout]).toEqual([4, expect.stringContaining("1 item in table")]);
  });

  it("tells with --deep of texts that name the person, and changes none of them", async () => {
    await home.look(async (aws) => {
      const notes = [`erreichbar unter MAX@example.com.`, "max@example.com.au", `a.${address}`];
      await putProfile(aws, "user-6", { notes, settings: { friend: `siehe ${sub}`, other: `${sub}2` } });
    });
    const before = await picture();
    const argv = ["user", "erase", address, "--confirm", address, "--receipt", "r.json"];
    const dry = await home.run([...argv, "--deep", "--dry-run", "--json"]);
    const mentions = ["notes", "settings"].map((attribute) => ({
      table: "mawps-user-profiles",
      attribute,
      items: 1,
    }));
    expect(JSON.parse(dry.stdout)).toMatchObject({ mentions: expect.arrayContaining(mentions) });
    expect(await picture()).toEqual(before);
    const { exitCode, stdout } = await home.run([...argv, "--deep"]);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/named in a text: 1 item of mawps-user-profiles, notes/),
    ]);
    const receipt = await readFile(join(home.folder, "r.json"), "utf8");
    expect(JSON.parse(receipt)).toMatchObject({ isComplete: true, mentions });
    expect(receipt).not.toMatch(/max@|erreichbar/i);
    expect(lines(await picture(), /user-6/)).toEqual(lines(before, /user-6/));
  });

  it("says the same twice, and nobody is on the ledger twice", async () => {
    const argv = ["user", "erase", address, "--confirm", address, "--json"];
    await home.run([...argv, "--dry-run", "--output", "plan.json"]);
    const planned = JSON.parse(await readFile(join(home.folder, "plan.json"), "utf8")) as object;
    const plan = JSON.stringify({ ...planned, filed: true });
    await writeFile(join(home.folder, "plan.json"), plan);
    await home.run([...argv, "--receipt", "1.json", "--output", "plan.json"]);
    const once = await picture();
    const unasked = await home.run([...argv, "--output", "plan.json"]);
    expect(JSON.parse(unasked.stdout)).toMatchObject({ changed: false, isComplete: true, receipt: null });
    expect(await picture()).toEqual(once);
    const files = await readdir(home.folder);
    expect(files.filter((name) => name.startsWith("receipt"))).toEqual([]);
    expect(await readFile(join(home.folder, "plan.json"), "utf8")).toBe(plan);
    expect(await readFile(join(home.folder, "1.html"), "utf8")).toContain("mawps user erase verify 1.json");
    const { exitCode, stdout } = await home.run([...argv, "--receipt", "2.json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ isComplete: true, erased: { account: false, bytes: 0 } });
    const erasures = (all: Picture) => [...all.keys()].filter((name) => name.includes('"erasures"'));
    expect(erasures(once).length).toBe(2);
    expect(erasures(await picture())).toEqual(erasures(once));
  });

  it.each(["owner", neighbour, "global", "eins@example.org"])(
    "takes nothing of %s for who has it as the address in their own profile",
    async (email) => {
      await home.look(async (aws) => {
        await putProfile(aws, "global");
        await putProfile(aws, "user-3", { email: "eins@example.org" });
        await putProfile(aws, "eins@example.org");
        await putProfile(aws, "user-4", { email });
      });
      const others = /"(owner|global|user-12|user-3|eins@example\.org)"|\/(owner|user-12)\//;
      const before = await picture();
      expect(lines(before, others).length).toBeGreaterThan(15);
      const { exitCode } = await home.run(["user", "erase", "user-4", "--yes"]);
      expect(exitCode).toBe(0);
      const after = await picture();
      expect(telling(after, /user-4/)).toEqual([]);
      const own = (all: Picture) => lines(all, others).filter(([name]) => !name.includes("user-4"));
      expect(own(after)).toEqual(own(before));
    },
  );

  it("takes nothing that stands under an address that the account only claims", async () => {
    const claimed = "eva@example.org";
    await home.look(async (aws) => {
      const UserAttributes = [{ Name: "email", Value: claimed }];
      const account = { UserPoolId, Username: claimed, MessageAction: "SUPPRESS" as const, UserAttributes };
      const { User } = await (await aws.cognito()).send(new AdminCreateUserCommand(account));
      await putProfile(aws, User?.Username ?? "", { email: claimed });
      await putProfile(aws, claimed);
    });
    const { exitCode, stdout } = await home.run(["user", "erase", claimed, "--confirm", claimed, "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ isComplete: true, erased: { account: true } });
    expect(telling(await picture(), /eva@example\.org/)).toEqual([expect.stringContaining("user-profiles")]);
  });

  it("goes on with who was on the ledger and is found again, by their address and with the same receipt", async () => {
    const alone = "allein@example.com";
    await home.look((aws) => putProfile(aws, "user-5", { email: alone }));
    const argv = ["user", "erase", alone, "--confirm", alone, "--receipt", "r.json"];
    expect((await home.run(argv)).exitCode).toBe(0);
    const receipt = JSON.parse(await readFile(join(home.folder, "r.json"), "utf8")) as object;
    // As a run leaves it that was broken off behind the ledger.
    await home.look((aws) => putProfile(aws, "user-5", { email: alone }));
    await writeFile(join(home.folder, "r.json"), JSON.stringify({ ...receipt, isComplete: false }));
    expect((await home.run(argv)).exitCode).toBe(0);
    expect(telling(await picture(), /user-5|allein@/)).toEqual([]);
    const again = JSON.parse(await readFile(join(home.folder, "r.json"), "utf8")) as object;
    expect(again).toMatchObject({ isComplete: true, person: (receipt as { person: unknown[] }).person });
    expect((await home.run(argv)).stderr).toContain("already exists; nothing was changed");
  });

  it("keeps who was erased away when a backup from before is restored", async () => {
    await home.run(["backup", "create"]);
    for (const given of [person, address])
      await home.run(["user", "erase", given, "--yes", "--receipt", `${given}.json`]);
    const { exitCode, stdout, stderr } = await home.run(["backup", "restore", "--yes"]);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("suppressed");
    expect(telling(await picture(), new RegExp(`${aboutPerson.source}|${sub}|max@example`))).toEqual([]);
  });
});

describe("a legal hold", () => {
  beforeEach(async () => {
    home = await full.copy();
  });
  afterEach(() => home.remove());

  const reasons = async () => {
    const { stdout } = await home.run(["user", "hold", "list", "--json"]);
    const rows = stdout.split("\n").filter((line) => line !== "");
    return rows.map((line) => JSON.parse(line) as object);
  };

  it("of a person stops erasures until it is lifted, and is told by the trail, which names no address", async () => {
    const hold = ["user", "hold", "add", address.toUpperCase(), "--reason", "case 1"];
    expect((await home.run([...hold, "--dry-run"])).stdout).toContain("would be under a legal hold");
    expect(await reasons()).toEqual([]);
    for (const changed of [true, false]) {
      const { exitCode, stdout } = await home.run([...hold, "--json"]);
      const number = changed ? 1 : null;
      expect([exitCode, JSON.parse(stdout)]).toEqual([
        0,
        expect.objectContaining({ userId: sub, hold: number, changed }),
      ]);
    }
    const [named, ...others] = await reasons();
    expect([named, others]).toEqual([
      { hold: 1, since: expect.stringMatching(/^2026-/), reason: "case 1", name: address, userId: sub },
      [],
    ]);
    const shown = await home.run(["user", "show", address, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ holds: [{ hold: 1, reason: "case 1" }] });
    const stored = lines(await picture(), /./);
    for (const change of [
      ["revoke", sub, "doc-1"],
      ["confirm", sub, "doc-1"],
      ["rm", sub, "doc-1", "--yes"],
      ["rm", sub, "doc-1", "--dry-run"],
    ]) {
      const { exitCode, stderr } = await home.run(["doc", ...change]);
      expect([change, exitCode, stderr]).toEqual([change, 1, expect.stringContaining("legal hold (case 1)")]);
    }
    const before = await picture();
    expect(lines(before, /./)).toEqual(stored);
    expect([...before].filter(([name]) => name.includes('"holds"')).map(String)).toEqual([
      expect.not.stringContaining("@"),
    ]);
    for (const given of [
      [address, "--confirm", address],
      [sub, "--yes"],
      [address, "--dry-run"],
    ]) {
      const { exitCode, stderr } = await home.run(["user", "erase", ...given]);
      expect([given, exitCode, stderr]).toEqual([given, 1, expect.stringContaining("legal hold (case 1)")]);
    }
    expect(await picture()).toEqual(before);
    expect((await home.run(["user", "hold", "rm", person, "--yes"])).stdout).toContain("under no legal hold");
    expect((await reasons()).length).toBe(1);
    expect((await home.run(["user", "hold", "rm", sub])).exitCode).toBe(1);
    expect((await reasons()).length).toBe(1);
    expect((await home.run(["user", "hold", "add", sub, "--reason", "case 2"])).exitCode).toBe(0);
    const several = await home.run(["user", "hold", "rm", sub, "--yes"]);
    expect([several.exitCode, several.stderr]).toEqual([
      2,
      expect.stringContaining("1 (case 1), 2 (case 2)"),
    ]);
    expect((await home.run(["user", "hold", "rm", "--hold", "7", "--yes"])).exitCode).toBe(1);
    expect((await home.run(["user", "hold", "rm", "--hold", "2", "--yes"])).stdout).toContain("1 more stand");
    expect(await reasons()).toEqual([named]);
    expect((await home.run(["user", "hold", "rm", sub, "--all", "--yes"])).exitCode).toBe(0);
    expect(await reasons()).toEqual([]);
    expect((await home.run(["user", "erase", address, "--confirm", address])).exitCode).toBe(0);
    expect(telling(await picture(), new RegExp(`${sub}|max@example\\.com`))).toEqual([]);
    const trail = await home.run(["audit", "list", "--user", sub, "--json"]);
    const told = trail.stdout.split("\n").flatMap((line) => {
      if (line === "") return [];
      const { action, details } = JSON.parse(line) as { action: string; details: { reason?: string } };
      return action === "user.erased" ? [] : [`${action} ${details.reason}`];
    });
    expect(told).toEqual([
      "user.released case 1",
      "user.released case 2",
      "user.held case 2",
      "user.held case 1",
    ]);
    expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
  });

  it("of who had an address before is not of who has it now, and neither keeps the other's from standing", async () => {
    const add = ["user", "hold", "add", address, "--reason", "case 1", "--json"];
    expect((await home.run(add)).exitCode).toBe(0);
    const registered = await home.look(async (aws) => {
      const cognito = await aws.cognito();
      await cognito.send(new AdminDeleteUserCommand({ UserPoolId, Username: sub }));
      await (
        await aws.dynamodb()
      ).send(new DeleteItemCommand({ TableName: profileTable, Key: { userId: { S: sub } } }));
      const { User } = await cognito.send(
        new AdminCreateUserCommand({
          UserPoolId,
          Username: address,
          MessageAction: "SUPPRESS",
          UserAttributes: [
            { Name: "email", Value: address },
            { Name: "email_verified", Value: "true" },
          ],
        }),
      );
      return User?.Username ?? "";
    });
    const whose = async () => (await reasons()).map((row) => (row as { userId: string }).userId);
    const refused = await home.run(["user", "hold", "rm", address, "--yes"]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("1 (case 1)")]);
    expect(await whose()).toEqual([sub]);
    for (const changed of [true, false])
      expect(JSON.parse((await home.run(add)).stdout)).toMatchObject({ userId: registered, changed });
    expect(await whose()).toEqual([sub, registered]);
    expect((await home.run(["user", "hold", "rm", address, "--yes"])).stdout).toContain("1 more stand");
    expect(await whose()).toEqual([sub]);
    expect((await home.run(["user", "hold", "rm", address, "--hold", "1", "--yes"])).exitCode).toBe(0);
    expect(await whose()).toEqual([]);
  });

  it("is not shown of who only claims the address, and is listed and lifted while nobody can be asked for names", async () => {
    expect((await home.run(["user", "hold", "add", sub, "--reason", "case 1"])).exitCode).toBe(0);
    const claiming = await home.look(async (aws) => {
      const cognito = await aws.cognito();
      await cognito.send(new AdminDeleteUserCommand({ UserPoolId, Username: sub }));
      const account = { UserPoolId, Username: "claiming@example.com", MessageAction: "SUPPRESS" as const };
      const { User } = await cognito.send(new AdminCreateUserCommand(account));
      const Username = User?.Username ?? "";
      const UserAttributes = [
        { Name: "email", Value: address },
        { Name: "email_verified", Value: "false" },
      ];
      await cognito.send(new AdminUpdateUserAttributesCommand({ UserPoolId, Username, UserAttributes }));
      return Username;
    });
    const shown = await home.run(["user", "show", claiming, "--json"]);
    expect([shown.exitCode, JSON.parse(shown.stdout)]).toEqual([0, expect.objectContaining({ holds: [] })]);
    const env = { MAWPS_USER_POOL_ID: "eu-central-1_Missing00" };
    const listed = await home.run(["user", "hold", "list", "--json"], { env });
    expect([listed.exitCode, JSON.parse(listed.stdout)]).toEqual([
      0,
      expect.objectContaining({ reason: "case 1", name: null, userId: sub }),
    ]);
    const told = await home.run(["user", "hold", "list"], { env });
    expect(told.stderr).toContain("nobody can be asked for names");
    expect((await home.run(["user", "hold", "rm", "--hold", "1", "--yes"], { env })).exitCode).toBe(0);
    expect(await reasons()).toEqual([]);
  });

  it.each([
    ["a document", { documents: [{ id: "d", s3Key: "k", legalHold: "case 2" }] }],
    ["a profile", { legalHold: { reason: "case 2" } }],
  ])("of %s stops the erasure of its person", async (_of, attributes) => {
    await home.look((aws) => putProfile(aws, "user-5", attributes));
    const before = await picture();
    const { exitCode, stderr } = await home.run(["user", "erase", "user-5", "--yes"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("legal hold (case 2)")]);
    expect(await picture()).toEqual(before);
  });

  it.each([
    ["comes to the ledger", "PutItemCommand", '"erasures"', 1],
    ["is on no ledger yet", "PutItemCommand", '"user.erased"', 0],
    ["goes already", "TransactWriteItemsCommand", '"mawps-user-profiles"', 1],
  ])(
    "that comes while its person %s leaves what it is on, and the same command goes on without it",
    async (_when, call, part, listed) => {
      const documents = [{ id: "d", s3Key: "public/documents/user-5/cv/1-d.pdf" }];
      const legalHold = "case 3";
      await home.look(async (aws) => {
        await putProfile(aws, "user-5", { documents });
        await putObject(aws, {
          bucket: documentBucket,
          key: documents[0]?.s3Key ?? "",
          body: Buffer.from("d"),
        });
      });
      home.beforeCall = async (command, input, aws) => {
        if (command === call && JSON.stringify(input).includes(part))
          await putProfile(aws, "user-5", { documents, legalHold });
      };
      const argv = ["user", "erase", "user-5", "--yes", "--receipt", "r.json"];
      const { exitCode, stderr } = await home.run(argv);
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining("legal hold since: case 3")]);
      const left = [...(await picture())].filter(([name]) => /user-profiles .*"user-5"/.test(name));
      expect(left.map(String)).toEqual([expect.stringContaining("1-d.pdf")]);
      // Whoever deletes items already is through with the files.
      const versions = [...(await picture()).keys()].filter((name) => name.includes("/user-5/cv/1-d.pdf"));
      expect(versions).toHaveLength(call === "PutItemCommand" ? 1 : 0);
      const gone = call === "PutItemCommand" ? { versions: {}, bytes: 0 } : { bytes: 1 };
      expect(JSON.parse(await readFile(join(home.folder, "r.json"), "utf8"))).toMatchObject({
        erased: expect.objectContaining({ account: false, items: {}, ...gone }),
      });
      const ledger = [...(await picture()).keys()].filter((name) => /audit-log .*"erasures"/.test(name));
      expect(ledger).toHaveLength(listed);
      home.beforeCall = undefined;
      await home.look((aws) => putProfile(aws, "user-5", { documents }));
      expect((await home.run(argv)).exitCode).toBe(0);
      expect(telling(await picture(), /user-5/)).toEqual([]);
    },
  );

  it.each([
    ["comes to the ledger", "PutItemCommand", '"erasures"', /^(item|object|upload) /],
    ["loses files already", "DeleteObjectsCommand", "", /^item /],
  ])(
    "of a person that comes while their erasure %s keeps all that is there and the account, until it is lifted",
    async (_when, call, part, kept) => {
      const about = new RegExp(`${sub}|max@example\\.com`);
      const staying = (all: Picture) => telling(all, about).filter((name) => kept.test(name));
      const before = staying(await picture());
      expect(before.length).toBeGreaterThan(3);
      let isHeld = false;
      home.beforeCall = async (command, input, aws) => {
        if (isHeld || command !== call || !JSON.stringify(input).includes(part)) return;
        isHeld = true;
        const place = { aws, table: "mawps-audit-log", signal: new AbortController().signal };
        const at = new Date("2026-03-01T00:00:00.000Z");
        await putHold(place, { userId: sub, ids: [sub, address], reason: "case 5", salt: "00ff", at });
      };
      const argv = ["user", "erase", address, "--confirm", address, "--receipt", "r.json"];
      const { exitCode, stderr } = await home.run(argv);
      home.beforeCall = undefined;
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining("legal hold since: case 5")]);
      expect(staying(await picture())).toEqual(before);
      expect(telling(await picture(), about)).toContain(`user ${sub}`);
      expect(JSON.parse(await readFile(join(home.folder, "r.json"), "utf8"))).toMatchObject({
        isComplete: false,
        erased: expect.objectContaining({ account: false, items: {} }),
        left: { account: true, refused: 1 },
      });
      expect((await home.run(["user", "hold", "rm", sub, "--yes"])).exitCode).toBe(0);
      expect((await home.run(argv)).exitCode).toBe(0);
      expect(telling(await picture(), about)).toEqual([]);
    },
  );

  it("that is not there is told with whose it would be", async () => {
    const { exitCode, stdout } = await home.run(["user", "hold", "rm", person, "--json"]);
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      0,
      { userId: person, lifted: [], reasons: [], others: 0, changed: false, dryRun: false },
    ]);
  });

  it.each([
    ["hold", "add", person, "--reason", "letter of eins@example.com"],
    ["hold", "rm"],
    ["hold", "rm", person, "--hold", "1", "--all"],
    ["hold", "rm", "--hold", "1", "--hold", "2"],
    ["erase", person, "--output", "same.json", "--receipt", "./same.json"],
    ["erase", person, "--receipt", "nowhere/r.json"],
    ["erase", person, "--output", "nowhere/plan.json"],
  ])("is not changed by %s %s %s %s %s", async (...argv) => {
    const before = await picture();
    expect((await home.run(["user", ...argv, "--yes"])).exitCode).toBe(2);
    expect(await picture()).toEqual(before);
  });

  it("is no hold where a record cannot be read: nothing is deleted", async () => {
    await home.run(["user", "hold", "add", sub, "--reason", "case 4"]);
    await home.look(async (aws) => {
      const Item = typed({ chain: "holds", sequence: 2, hashes: "none" }).M ?? {};
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(new PutItemCommand({ TableName: "mawps-audit-log", Item }));
    });
    const before = await picture();
    const { exitCode, stderr } = await home.run(["user", "erase", person, "--yes"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("is no legal hold; nothing was changed")]);
    expect(await picture()).toEqual(before);
  });
});

describe("user erase, broken off", () => {
  beforeEach(async () => {
    home = await full.copy();
  });
  afterEach(() => home.remove());

  const argv = ["user", "erase", address, "--confirm", address, "--receipt", "r.json"];
  const isChange = (command: string) =>
    /^(Put|Update|Transact|BatchWrite|Delete|Abort|Admin(?!Get))/.test(command);

  it("at each of its changes, one later each time, goes on by the same command until all is gone", async () => {
    const before = await picture();
    const deaths: number[] = [];
    let exitCode = 1;
    for (let fatal = 1; exitCode !== 0 && fatal < 100; fatal += 1) {
      let changes = 0;
      home.beforeCall = async (command) => {
        if (isChange(command)) changes += 1;
        // A process that is dead sends nothing any more.
        if (changes >= fatal) throw new Error("killed");
      };
      ({ exitCode } = await home.run(argv));
      if (exitCode !== 0) deaths.push(fatal);
    }
    home.beforeCall = undefined;
    expect(deaths.length).toBeGreaterThan(8);
    const after = await picture();
    expect(telling(after, new RegExp(`${sub}|max@example\\.com`))).toEqual([]);
    expect(lines(after, aboutNeighbour)).toEqual(lines(before, aboutNeighbour));
    expect([...after.keys()].filter((name) => name.includes('"erasures"')).length).toBe(2);
    expect(JSON.parse(await readFile(join(home.folder, "r.json"), "utf8"))).toMatchObject({
      isComplete: true,
    });
    expect((await home.run(["user", "erase", "verify", "r.json"])).exitCode).toBe(0);
    expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
  });

  it("by SIGKILL in the middle, comes to the same end by the same command", async () => {
    const undisturbed = await full.copy();
    const mortal = await buildMortal("mortal-calls");
    try {
      expect((await undisturbed.run(argv)).exitCode).toBe(0);
      const writes = undisturbed.calls.filter(({ command }) =>
        /^(Put|Update|Transact|BatchWrite|Delete|Abort)/.test(command),
      );
      const deletion = writes.findIndex(({ command }) => command === "DeleteObjectsCommand");
      expect(deletion).toBeGreaterThan(0);
      // Two steps a call: files of a bucket are gone by then, and the items are not.
      const fatal = 2 * (deletion + 1);
      expect((await mortal.die(home, fatal, argv)).length).toBe(fatal);
      expect(telling(await picture(), new RegExp(`${sub}|max@example\\.com`)).length).toBeGreaterThan(0);
      home.laterMs = afterRealClockMs();
      expect((await home.run(argv)).exitCode).toBe(0);
      const ofTool = /^\w+ mawps-audit-log |^object \S+ audit\//;
      const rest = (all: Picture) => [...all].filter(([name]) => !ofTool.test(name));
      expect(rest(await picture())).toEqual(rest(await pictureOf(undisturbed, UserPoolId)));
      expect(JSON.parse(await readFile(join(home.folder, "r.json"), "utf8"))).toMatchObject({
        isComplete: true,
      });
      expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
    } finally {
      await Promise.all([mortal.remove(), undisturbed.remove()]);
    }
  });

  it("by a table that refuses to delete: ends with 3, says what was not reached, keeps the account, and goes on later", async () => {
    home.beforeCall = async (command, input) => {
      const isTwin = JSON.stringify(input).includes('"TableName":"mawps-digital-twin"');
      if (command !== "TransactWriteItemsCommand" || !isTwin) return;
      throw Object.assign(new Error("no"), {
        name: "AccessDeniedException",
        $metadata: { httpStatusCode: 400 },
      });
    };
    const { exitCode, stderr } = await home.run(argv);
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringContaining("mawps-digital-twin: AccessDeniedException"),
    ]);
    const receipt = () =>
      readFile(join(home.folder, "r.json"), "utf8").then((text) => JSON.parse(text) as object);
    expect(await receipt()).toMatchObject({ isComplete: false, left: { account: true, refused: 1 } });
    expect(telling(await picture(), new RegExp(sub))).toEqual(
      expect.arrayContaining([`user ${sub}`, expect.stringContaining("mawps-digital-twin")]),
    );
    home.beforeCall = undefined;
    expect((await home.run(argv)).exitCode).toBe(0);
    expect(await receipt()).toMatchObject({ isComplete: true });
    expect(telling(await picture(), new RegExp(`${sub}|max@example`))).toEqual([]);
  });
});

describe("user erase, not done", () => {
  let before: Picture;

  beforeAll(async () => {
    home = await full.copy();
    before = await picture();
  });
  afterAll(() => home.remove());

  const isProtected = { MAWPS_PROTECTED: "true", MAWPS_NAME: "production" };

  it.each([
    { argv: ["user-2", "--yes"], why: "nothing is stored of" },
    { argv: ["nobody@example.com", "--yes"], why: "nothing is stored of" },
    { argv: ["owner", "--yes"], why: "reserved" },
    { argv: ["global", "--yes"], why: "no user" },
    { argv: [person, "--confirm", "eins@example.org"], why: "it is eins@example.com" },
    { argv: [person, "--yes", "--receipt", "r.json"], why: "already exists; nothing was changed" },
    { argv: [person], why: "--confirm eins@example.com" },
    { argv: [person, "--yes"], why: "--confirm eins@example.com", env: isProtected },
    { argv: ["verify", "r.json"], why: "no receipt of an erasure" },
  ])("ends with 1 for $argv, and changes nothing", async ({ argv, why, env = {} }) => {
    await writeFile(join(home.folder, "r.json"), "{}");
    const { exitCode, stderr } = await home.run(["user", "erase", ...argv], { env });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(await picture()).toEqual(before);
    expect((await readdir(home.folder)).toSorted()).toEqual(["r.json", "store"]);
  });

  it.each([
    ["verify", "is not said"],
    ["verify .", "is a folder"],
    ["verify pipe", "is no regular file"],
    ["verify none.json", "there is no file"],
    [`${person} --yes --receipt .`, "is a folder"],
    [`${person} --dry-run --output .`, "is a folder"],
  ])("ends with 2 for %s, and changes nothing", async (words, why) => {
    execFileSync("mkfifo", [join(home.folder, "pipe")]);
    try {
      const { exitCode, stderr } = await home.run(["user", "erase", ...words.split(" ")]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(why)]);
      expect(await picture()).toEqual(before);
    } finally {
      await rm(join(home.folder, "pipe"));
    }
  });

  it("writes its plan, anew for the same person, and over nothing else", async () => {
    const plan = (who: string) => home.run(["user", "erase", who, "--dry-run", "--output", "plan.json"]);
    for (const run of [1, 2]) expect([run, (await plan(person)).exitCode]).toEqual([run, 0]);
    const text = await readFile(join(home.folder, "plan.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({ userId: person });
    const other = await plan(neighbour);
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("already exists")]);
    expect(await readFile(join(home.folder, "plan.json"), "utf8")).toBe(text);
    expect(await picture()).toEqual(before);
  });

  it("tells in numbers what it would do", async () => {
    // As servers in AWS's place say that there is no such table.
    home.beforeCall = async (command, input) => {
      const isDocuments = JSON.stringify(input).includes("mawps-user-documents");
      if (command === "DescribeContinuousBackupsCommand" && isDocuments)
        throw Object.assign(new Error("no table"), { name: "ResourceNotFoundException", $metadata: {} });
    };
    const { stdout, exitCode } = await home.run(["user", "erase", person, "--dry-run"]);
    home.beforeCall = undefined;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/audit trail +\d+ items kept/);
    expect(stdout).toMatch(/recovery +tables can be brought back until 2026-04-05/);
    expect(stdout).toMatch(/open uploads +1 aborted/);
    expect(stdout).toMatch(/links +1 alive/);
    expect(await picture()).toEqual(before);
  });
});
