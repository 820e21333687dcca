import {
  AdminGetUserCommand,
  AdminListGroupsForUserCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { exportAudit } from "../../../src/audit/list.ts";
import { documentBucket as bucket, putDocument, putProfile } from "../../support/documents.ts";
import { putAccounts } from "../../support/accounts.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const UserPoolId = localPoolId("eu-central-1");

let full: TestHome;
let home: TestHome;

beforeAll(async () => {
  full = await makeHome();
  await full.look((aws) => putAccounts(aws, UserPoolId));
});

beforeEach(async () => {
  home = await full.copy();
});

afterEach(() => home.remove());
afterAll(() => full.remove());

async function account(Username: string) {
  return home.look(async (aws) => {
    const cognito = await aws.cognito();
    const at = { UserPoolId, Username };
    const [user, groups] = [
      await cognito.send(new AdminGetUserCommand(at)),
      await cognito.send(new AdminListGroupsForUserCommand(at)),
    ];
    const attributes = Object.fromEntries((user.UserAttributes ?? []).map((each) => [each.Name, each.Value]));
    return {
      enabled: user.Enabled,
      status: user.UserStatus,
      factors: user.UserMFASettingList ?? [],
      attributes,
      hasPhone: attributes["phone_number"] !== undefined,
      groups: groups.Groups?.map(({ GroupName }) => GroupName),
    };
  });
}

async function audited(): Promise<Record<string, unknown>[]> {
  return home.look(async (aws) => {
    const entries: Record<string, unknown>[] = [];
    for await (const { action, userId, details } of exportAudit(
      { aws, table: "mawps-audit-log", bucket },
      {},
    ))
      entries.push({ action, userId, ...(details as object) });
    return entries;
  });
}

function parsed(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("user list", () => {
  const emails = async (...flags: string[]) => {
    const { stdout } = await home.run(["user", "list", "--json", ...flags]);
    return parsed(stdout)
      .map(({ attributes }) => (attributes as { email: string }).email.split("@")[0] ?? "")
      .toSorted((one, other) => one.localeCompare(other));
  };

  it.each([
    { flags: [], found: ["eva", "ida", "max", "nora"] },
    { flags: ["--group", "admin"], found: ["max"] },
    { flags: ["--status", "disabled"], found: ["ida"] },
    { flags: ["--status", "enabled"], found: ["eva", "max", "nora"] },
    { flags: ["--status", "unconfirmed"], found: ["nora"] },
    { flags: ["--where", "email=max@example.com"], found: ["max"] },
    { flags: ["--where", "email=~MAX"], found: ["max"] },
    { flags: ["--where", "phone_number="], found: ["eva", "ida", "nora"] },
    { flags: ["--group", "admin", "--status", "disabled"], found: [] },
  ])("$flags finds $found", async ({ flags, found }) => {
    expect(await emails(...flags)).toEqual(found);
  });

  it("tells a pool without accounts from one where none is such", async () => {
    expect((await home.run(["user", "list", "--where", "name=Nobody"])).stdout).toBe("no such accounts\n");
    const empty = await makeHome();
    onTestFinished(() => empty.remove());
    expect((await empty.run(["user", "list"])).stdout).toBe("there are no accounts\n");
  });

  it("asks once for 60 accounts, never about one", async () => {
    home.calls.length = 0;
    await home.run(["user", "list"]);
    expect(home.calls.filter(({ service }) => service === "cognito")).toEqual([
      { service: "cognito", command: "ListUsersCommand" },
    ]);
  });

  it("writes CSV with a heading, and refuses a group that is not there", async () => {
    const { stdout } = await home.run(["user", "list", "--csv", "--group", "admin"]);
    const [heading, row] = stdout.split("\r\n");
    expect(heading).toBe("email,name,username,userId,status,enabled,createdAt,modifiedAt");
    expect(row).toMatch(/^max@example\.com,,[\da-f-]{36},[\da-f-]{36},CONFIRMED,true,20/);
    const none = await home.run(["user", "list", "--group", "nobody"]);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining('no group "nobody"')]);
    const unknown = await home.run(["user", "list", "--csv", "--where", "emial=max@example.com"]);
    expect([unknown.exitCode, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toMatch(/no attribute "emial"\nhint: --where takes .*email/);
  });
});

describe("user show", () => {
  it("tells account, groups, second factors, documents, and where the last trace comes from", async () => {
    const { attributes } = await account("max@example.com");
    const userId = attributes["sub"] ?? "";
    await home.look(async (aws) => {
      const documents = [
        await putDocument(aws, { userId, id: "doc-1", body: "eins" }),
        await putDocument(aws, { userId, id: "doc-2", body: "zwei", status: "DELETED" }),
      ];
      await putProfile(aws, userId, { documents, lastProgressUpdate: "2026-02-28T10:00:00.000Z" });
    });
    const { stdout } = await home.run(["user", "show", "MAX@example.com", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      userId,
      account: { status: "CONFIRMED", groups: ["admin"], secondFactors: ["SMS_MFA"] },
      hasProfile: true,
      documents: 1,
      deletedDocuments: 1,
      bytes: 4,
      lastActivity: { at: "2026-02-28T10:00:00.000Z", source: "progress" },
    });
  });

  it("says that sign-ins are not known where the pool fails to tell of them, and shows the rest", async () => {
    home.beforeCall = async (command) => {
      if (command !== "AdminListUserAuthEventsCommand") return;
      throw Object.assign(new Error("a page"), { $metadata: { httpStatusCode: 500 } });
    };
    const text = await home.run(["user", "show", "eva@example.com"]);
    expect([text.exitCode, text.stdout]).toEqual([0, expect.stringMatching(/signed in +not known/)]);
    const { stdout } = await home.run(["user", "show", "eva@example.com", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      account: { attributes: { email: "eva@example.com" }, areSignInsKnown: false },
      lastActivity: { source: "account" },
    });
  });

  it("shows somebody who has data and no account, and refuses whom nobody knows", async () => {
    await home.look((aws) => putProfile(aws, "user-1"));
    const known = await home.run(["user", "show", "user-1"]);
    expect([known.exitCode, known.stdout]).toEqual([0, expect.stringMatching(/account +none/)]);
    const unknown = await home.run(["user", "show", "user-2"]);
    expect([unknown.exitCode, unknown.stdout]).toEqual([1, ""]);
    expect(unknown.stderr).toContain("there is no account and no profile");
  });
});

describe("user create", () => {
  it("makes an account with its group, and the same again changes nothing", async () => {
    const argv = ["user", "create", "nina@example.com", "--name", "Nina", "--group", "admin", "--json"];
    const first = JSON.parse((await home.run(argv)).stdout) as { userId: string };
    expect(first).toMatchObject({ changed: true, status: "FORCE_CHANGE_PASSWORD" });
    const made = await account("nina@example.com");
    expect(made).toMatchObject({
      enabled: true,
      groups: ["admin"],
      attributes: { email: "nina@example.com", email_verified: "true", name: "Nina" },
    });
    const again = JSON.parse((await home.run([...argv.slice(0, 2), "NINA@example.com", "--json"])).stdout);
    expect(again).toMatchObject({ userId: first.userId, changed: false });
    expect(await account("nina@example.com")).toEqual(made);
    expect(await audited()).toEqual([
      { action: "user.created", userId: first.userId },
      { action: "user.grouped", userId: first.userId, group: "admin", isMember: true },
    ]);
  });

  it("puts an account that is there into the group, and says so before and after", async () => {
    const argv = ["user", "create", "eva@example.com", "--group", "admin"];
    const dry = await home.run([...argv, "--dry-run"]);
    expect(dry.stdout).toContain("would be put into group admin");
    expect((await account("eva@example.com")).groups).toEqual([]);
    const { stdout } = await home.run([...argv, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ changed: true });
    expect((await account("eva@example.com")).groups).toEqual(["admin"]);
    expect((await home.run(argv)).stdout).toContain("already exists\n");
  });

  it("takes a first password from stdin, and lets Cognito refuse a bad one before anything is made", async () => {
    const argv = ["user", "create", "nina@example.com", "--temporary-password", "stdin"];
    const bad = await home.run(argv, { stdin: Buffer.from("short\n") });
    expect(bad.exitCode).toBe(1);
    expect(bad.stderr).not.toContain("short\n");
    expect((await home.run(["user", "show", "nina@example.com"])).exitCode).toBe(1);
    const { exitCode, stdout, stderr } = await home.run(argv, { stdin: Buffer.from("Long-enough-1\n") });
    expect(exitCode).toBe(0);
    expect(stdout + stderr + JSON.stringify(await audited())).not.toContain("Long-enough-1");
  });

  it.each([
    "owner",
    "global",
    "api-settings#x",
    "a/b@example.com",
    "max",
    "a\u0007@example.com",
    "..@x.de",
    "",
  ])("refuses %j before anything is asked", async (email) => {
    home.calls.length = 0;
    const { exitCode } = await home.run(["user", "create", email]);
    expect(exitCode).toBe(email === "" ? 2 : 1);
    expect(home.calls).toEqual([]);
  });
});

describe("what changes an account", () => {
  it.each([
    { argv: ["disable", "max@example.com"], after: { enabled: false }, entry: { action: "user.disabled" } },
    { argv: ["enable", "ida@example.com"], after: { enabled: true }, entry: { action: "user.enabled" } },
    {
      argv: ["confirm", "nora@example.com"],
      after: { status: "CONFIRMED" },
      entry: { action: "user.confirmed" },
    },
    { argv: ["sign-out", "max@example.com"], after: {}, entry: { action: "user.signed-out" } },
    {
      argv: ["reset-password", "max@example.com"],
      after: { status: "RESET_REQUIRED" },
      entry: { action: "user.password-reset" },
    },
    {
      argv: ["mfa", "reset", "max@example.com"],
      after: { factors: [] },
      entry: { action: "user.mfa-reset" },
    },
    {
      argv: ["group", "rm", "max@example.com", "admin"],
      after: { groups: [] },
      entry: { action: "user.grouped", group: "admin", isMember: false },
    },
    {
      argv: ["set", "max@example.com", "name=Max", "phone_number="],
      after: { attributes: { name: "Max" }, hasPhone: false },
      entry: { action: "user.changed", attributes: ["name", "phone_number"] },
    },
  ])("$argv", async ({ argv, after, entry }) => {
    const email = argv.find((word) => word.includes("@")) ?? "";
    const before = await account(email);
    const dry = await home.run(["user", ...argv, "--dry-run"]);
    expect([dry.exitCode, await account(email), await audited()]).toEqual([0, before, []]);
    const { exitCode, stderr } = await home.run(["user", ...argv, "--yes"]);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(await account(email)).toMatchObject(after);
    expect(await audited()).toEqual([{ userId: before.attributes["sub"], ...entry }]);
    expect((await home.run(["user", ...argv, "--yes"])).exitCode).toBe(0);
    expect(await account(email)).toMatchObject(after);
  });

  it("tells how long tokens live on that were given out", async () => {
    const { stderr } = await home.run(["user", "disable", "max@example.com", "--yes"]);
    expect(stderr).toContain("access tokens that were given out work up to 60 min longer");
  });

  it("tells what Cognito will not do in a state, and leaves no entry", async () => {
    const { exitCode, stderr } = await home.run(["user", "invite", "max@example.com"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("is CONFIRMED")]);
    expect(await audited()).toEqual([]);
  });

  it.each([
    { argv: ["set", "max@example.com", "colour=red"], why: 'no attribute "colour"' },
    { argv: ["set", "max@example.com", "sub=x"], why: 'no attribute "sub"' },
    { argv: ["create", "nina@example.com", "--name", "a\nb"], why: "control character or a line break" },
    { argv: ["set", "max@example.com", "preferred_username=owner"], why: "reserved" },
    { argv: ["set", "max@example.com", "email=x"], why: "stays as it is: Invalid email" },
    { argv: ["set", "max@example.com", "name=a\u001Bb"], why: "holds a control character" },
    { argv: ["group", "add", "max@example.com", "kings"], why: 'no group "kings"' },
    { argv: ["disable", "nobody@example.com"], why: "no account is" },
    { argv: ["disable", "owner"], why: "reserved for the owner" },
  ])("refuses $argv", async ({ argv, why }) => {
    const { exitCode, stderr } = await home.run(["user", ...argv, "--yes"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(await audited()).toEqual([]);
  });

  it("refuses an attribute that is given twice, and takes one away by its name", async () => {
    const twice = await home.run(["user", "set", "max@example.com", "name=a", "name=b"]);
    expect([twice.exitCode, twice.stderr]).toEqual([2, expect.stringContaining("name is given twice")]);
    const away = await home.run(["user", "set", "max@example.com", "phone_number="]);
    expect([away.exitCode, away.stdout]).toEqual([0, expect.stringContaining("took away phone_number")]);
  });
});
