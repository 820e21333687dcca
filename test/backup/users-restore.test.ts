import {
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminGetUserCommand,
  AdminUpdateUserAttributesCommand,
  type DescribeUserPoolCommandOutput,
} from "@aws-sdk/client-cognito-identity-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { readNewIds } from "../../src/backup/remap.ts";
import { restoreUsers } from "../../src/backup/users-restore.ts";
import { CliError } from "../../src/errors.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";
import {
  each,
  fastClock,
  makeGroups,
  makePool,
  makeUsers,
  plan,
  type Snapshot,
  snapshotOf,
  stateOf,
  type TestUser,
} from "./user-pools.ts";

let local: LocalAws;
let aws: Aws;
/** Of the pool that was lost. */
let snapshot: Snapshot;
let source: string;

const schema = {
  Schema: [
    { Name: "level", AttributeDataType: "Number" as const, Mutable: true },
    { Name: "source", AttributeDataType: "String" as const, Mutable: false },
  ],
};

const users: Readonly<Record<string, TestUser>> = {
  anna: {
    attributes: { email: "anna@example.com", email_verified: "true", "custom:level": "3" },
    groups: ["admins", "staff"],
    confirmed: true,
  },
  berta: {
    attributes: { name: "Bertha Müller", "custom:source": "fair" },
    groups: ["staff"],
    disabled: true,
  },
  carl: {},
};

beforeAll(async () => {
  local = await openLocalAws();
  aws = local.aws;
  source = await makePool(aws, schema);
  await makeGroups(aws, source, ["admins", "staff", "empty"]);
  await makeUsers(aws, source, users);
  snapshot = await snapshotOf(aws, source);
});
afterAll(() => local.close());

let pool: string;
beforeEach(async () => {
  pool = await makePool(aws, schema);
});

function restore(made: Awaited<ReturnType<typeof plan>>) {
  return restoreUsers(aws, made, { now: fastClock() });
}

async function account(Username: string) {
  return (await aws.cognito()).send(new AdminGetUserCommand({ UserPoolId: pool, Username }));
}

async function setAttribute(Username: string, Name: string, Value: string): Promise<void> {
  const input = { UserPoolId: pool, Username, UserAttributes: [{ Name, Value }] };
  await (await aws.cognito()).send(new AdminUpdateUserAttributesCommand(input));
}

const none = { create: 0, finish: 0, same: 0, conflict: 0, overwrite: 0, skip: 0, suppressed: 0, left: 0 };

describe("into an empty pool", () => {
  it("makes every account with attributes, groups and whether it is enabled", async () => {
    const made = await plan(aws, pool, { snapshot });
    expect(made.counts).toEqual({ ...none, create: 3 });
    expect(made.groups.map(({ name }) => name)).toEqual(["admins", "empty", "staff"]);
    expect(await restore(made)).toEqual({ groups: 3, created: 3, finished: 0, overwritten: 0, failed: [] });
    expect(await stateOf(aws, pool)).toEqual(await stateOf(aws, source));
  });

  it("finds everything the same afterwards and does nothing", async () => {
    await restore(await plan(aws, pool, { snapshot }));
    const again = await plan(aws, pool, { snapshot });
    expect(again.counts).toEqual({ ...none, same: 3 });
    expect([again.steps, again.groups]).toEqual([[], []]);
  });

  it("says what does not come back", async () => {
    const { lost } = await plan(aws, pool, { snapshot });
    expect(lost.map((line) => line.split(":")[0])).toEqual([
      "passwords",
      "ids (sub)",
      "second factors and remembered devices",
      "states",
    ]);
    await restore(await plan(aws, pool, { snapshot }));
    const anna = await account("anna");
    expect(anna.UserStatus).toBe("FORCE_CHANGE_PASSWORD");
    expect(anna.UserAttributes).not.toContainEqual({ Name: "sub", Value: snapshot.lines[0]?.seen.sub });
  });

  it("says that a link to another provider does not come back", async () => {
    const [first, ...others] = snapshot.lines;
    if (first === undefined) throw new Error("the snapshot has no accounts");
    const seen = { ...first.seen, identities: '[{"userId":"1","providerName":"Google"}]' };
    const { lost } = await plan(aws, pool, {
      snapshot: { ...snapshot, lines: [{ ...first, seen }, ...others] },
    });
    expect(lost.filter((line) => line.startsWith("links to other providers: 1 accounts"))).toHaveLength(1);
  });

  it("leaves out who was erased", async () => {
    const erased = snapshot.lines[0]?.seen.sub;
    const made = await plan(aws, pool, { snapshot, suppressed: (sub) => sub === erased });
    expect(made.counts).toEqual({ ...none, create: 2, suppressed: 1 });
    await restore(made);
    expect((await stateOf(aws, pool)).map((user) => (user as { Username: string }).Username)).toEqual([
      "berta",
      "carl",
    ]);
  });

  it("gives the map of ids, in whatever state the restore is", async () => {
    const ids = () => readNewIds({ aws, poolId: pool, users: each(snapshot.lines), now: fastClock() });
    expect((await ids()).missing).toHaveLength(3);
    await restore(await plan(aws, pool, { snapshot }));
    const { newIds, missing } = await ids();
    expect(missing).toEqual([]);
    const now = (await snapshotOf(aws, pool)).lines;
    expect([...newIds]).toEqual(snapshot.lines.map(({ seen }, index) => [seen.sub, now[index]?.seen.sub]));
    expect(
      (await readNewIds({ aws, poolId: source, users: each(snapshot.lines), now: fastClock() })).newIds.size,
    ).toBe(0);
  });
});

describe("the map of ids", () => {
  const idsIn = (poolId: string, lines = snapshot.lines) =>
    readNewIds({ aws, poolId, users: each(lines), now: fastClock() });

  it("gives nobody's id to somebody else who has the name now", async () => {
    await restore(await plan(aws, pool, { snapshot }));
    await setAttribute("anna", "email", "another.anna@example.com");
    const { newIds, doubtful } = await idsIn(pool);
    expect(doubtful).toEqual([snapshot.lines[0]?.seen.sub]);
    expect(newIds.size).toBe(2);
  });

  it("gives no id to two users whose names are one in the new pool", async () => {
    const strict = await makePool(aws);
    const lax = await makePool(aws, { UsernameConfiguration: { CaseSensitive: false } });
    await makeUsers(aws, strict, { Max: {}, max: {} });
    const taken = await snapshotOf(aws, strict);
    const made = await plan(aws, lax, { snapshot: taken });
    expect(made.counts).toEqual({ ...none, create: 1, left: 1 });
    expect(made.left.map(({ username }) => username)).toEqual(["max"]);
    expect((await restore(made)).failed).toEqual([]);
    const { newIds, missing } = await idsIn(lax, taken.lines);
    expect([...newIds.keys()]).toEqual([taken.lines[0]?.seen.sub]);
    expect(missing).toEqual([taken.lines[1]?.seen.sub]);
  });
});

describe("a pool of another kind", () => {
  it("gets the attributes that it knows, and the others are named", async () => {
    const plain = await makePool(aws);
    const made = await plan(aws, plain, { snapshot });
    expect(made.lost.at(-1)).toBe("attributes that the pool does not have: custom:level, custom:source");
    expect((await restore(made)).failed).toEqual([]);
    expect((await plan(aws, plain, { snapshot })).counts).toEqual({ ...none, same: 3 });
  });

  it("that signs in by e-mail gets only who has an address, known by it", async () => {
    const byEmail = await makePool(aws, { ...schema, UsernameAttributes: ["email"] });
    const moved = {
      ...snapshot,
      lines: snapshot.lines.map((line) =>
        line.put.Username === "anna" ? { ...line, put: { ...line.put, Username: "anna@example.com" } } : line,
      ),
    };
    const made = await plan(aws, byEmail, { snapshot: moved });
    expect(made.counts).toEqual({ ...none, create: 1, left: 2 });
    expect(made.left.map(({ username }) => username)).toEqual(["berta", "carl"]);
    expect((await restore(made)).failed).toEqual([]);
    expect((await plan(aws, byEmail, { snapshot: moved })).counts).toEqual({ ...none, same: 1, left: 2 });
    expect(await stateOf(aws, byEmail)).toMatchObject([
      { Username: "anna@example.com", groups: ["admins", "staff"], enabled: true },
    ]);
  });

  it("takes a snapshot of a pool with sign-in by e-mail as it was", async () => {
    const shape = { UsernameAttributes: ["email" as const], UsernameConfiguration: { CaseSensitive: false } };
    const [from, to] = [await makePool(aws, shape), await makePool(aws, shape)];
    await makeUsers(aws, from, {
      "Max@example.com": { attributes: { email_verified: "true", email: "Max@example.com" } },
    });
    const taken = await snapshotOf(aws, from);
    expect(taken.lines[0]?.put.Username).toBe("Max@example.com");
    await restore(await plan(aws, to, { snapshot: taken }));
    expect(await stateOf(aws, to)).toEqual(await stateOf(aws, from));
    const { newIds } = await readNewIds({ aws, poolId: to, users: each(taken.lines), now: fastClock() });
    expect([...newIds.keys()]).toEqual([taken.lines[0]?.seen.sub]);
  });

  it("leaves accounts of other providers to their next sign-in", async () => {
    const lines = snapshot.lines.map((line) => ({
      ...line,
      seen: { ...line.seen, status: "EXTERNAL_PROVIDER" },
    }));
    const made = await plan(aws, pool, { snapshot: { ...snapshot, lines } });
    expect(made.counts).toEqual({ ...none, left: 3 });
    expect(made.steps).toEqual([]);
  });

  it("that is not there is a failure with a hint", async () => {
    await expect(plan(aws, "eu-central-1_Nowhere00", { snapshot })).rejects.toThrow(CliError);
  });
});

describe("an account that differs", () => {
  beforeEach(async () => {
    await restore(await plan(aws, pool, { snapshot }));
    await setAttribute("anna", "email", "other@example.com");
    await setAttribute("anna", "nickname", "A");
  });

  it("is a conflict, with what differs, and nothing is planned for it", async () => {
    const made = await plan(aws, pool, { snapshot });
    expect(made.counts).toEqual({ ...none, same: 2, conflict: 1 });
    expect(made.differing).toEqual([{ username: "anna", differs: ["email", "email_verified", "nickname"] }]);
    expect(made.steps).toEqual([]);
  });

  it("stays under the policy skip", async () => {
    const made = await plan(aws, pool, { snapshot, onConflict: "skip" });
    expect(made.counts).toEqual({ ...none, same: 2, skip: 1 });
    expect(made.steps).toEqual([]);
  });

  it("becomes as in the snapshot under the policy replace, and keeps its id", async () => {
    const { sub } = (await snapshotOf(aws, pool)).lines[0]?.seen ?? {};
    const made = await plan(aws, pool, { snapshot, onConflict: "replace" });
    expect(made.counts).toEqual({ ...none, same: 2, overwrite: 1 });
    expect(await restore(made)).toMatchObject({ overwritten: 1, created: 0, failed: [] });
    expect(await stateOf(aws, pool)).toEqual(await stateOf(aws, source));
    expect((await snapshotOf(aws, pool)).lines[0]?.seen.sub).toBe(sub);
  });

  it("under the policy newer only if the snapshot has the later change", async () => {
    expect((await plan(aws, pool, { snapshot, onConflict: "newer" })).counts).toEqual({
      ...none,
      same: 2,
      skip: 1,
    });
    const lines = snapshot.lines.map((line) => ({
      ...line,
      seen: { ...line.seen, modifiedAt: "2999-01-01T00:00:00.000Z" },
    }));
    const made = await plan(aws, pool, { snapshot: { ...snapshot, lines }, onConflict: "newer" });
    expect(made.counts).toEqual({ ...none, same: 2, overwrite: 1 });
  });

  it("in groups and in being enabled only is a conflict too, once it was signed in with", async () => {
    const cognito = await aws.cognito();
    await setAttribute("anna", "nickname", "");
    await setAttribute("anna", "email", "anna@example.com");
    await setAttribute("anna", "email_verified", "true");
    await cognito.send(new AdminDisableUserCommand({ UserPoolId: pool, Username: "anna" }));
    const made = await plan(aws, pool, { snapshot, onConflict: "replace" });
    expect(made.differing).toEqual([{ username: "anna", differs: ["enabled"] }]);
    await restore(made);
    expect((await account("anna")).Enabled).toBe(true);
  });

  it("in what the pool lets nobody change keeps that, and it is named", async () => {
    const lines = snapshot.lines.map((line) =>
      line.put.Username === "berta"
        ? { ...line, put: { ...line.put, UserAttributes: [{ Name: "custom:source", Value: "web" }] } }
        : line,
    );
    const made = await plan(aws, pool, { snapshot: { ...snapshot, lines }, onConflict: "replace" });
    expect(made.lost).toContain("attributes that an existing account keeps as they are: custom:source");
    expect((await restore(made)).failed).toEqual([]);
    expect((await account("berta")).UserAttributes).toContainEqual({ Name: "custom:source", Value: "fair" });
  });
});

describe("a server that tells of custom attributes alone", () => {
  /** As some servers in AWS's place answer DescribeUserPool. */
  function tellingLess(keeps: (name: string) => boolean): Aws {
    return {
      ...aws,
      cognito: async () => {
        const cognito = await aws.cognito();
        const send = async (command: { constructor: { name: string } }, options: object) => {
          const answer: unknown = await cognito.send(command as never, options);
          if (command.constructor.name !== "DescribeUserPoolCommand") return answer;
          const { UserPool: told } = answer as DescribeUserPoolCommandOutput;
          const SchemaAttributes = told?.SchemaAttributes?.filter(({ Name = "" }) => keeps(Name));
          return { UserPool: { ...told, SchemaAttributes } };
        };
        return { config: cognito.config, send } as never;
      },
    };
  }
  const isCustom = (name: string) => name.startsWith("custom:");

  it("keeps e-mail address and name of accounts that equal the backup, under every policy", async () => {
    await restore(await plan(aws, pool, { snapshot }));
    for (const onConflict of ["fail", "skip", "newer", "replace"] as const) {
      const made = await plan(tellingLess(isCustom), pool, { snapshot, onConflict });
      expect([onConflict, made.counts, made.steps]).toEqual([onConflict, { ...none, same: 3 }, []]);
    }
  });

  it("gives a lost account its e-mail address back", async () => {
    const made = await plan(tellingLess(isCustom), pool, { snapshot });
    await restore(made);
    expect(await stateOf(aws, pool)).toEqual(await stateOf(aws, source));
  });

  it("gives a lost account its own attributes back, where the pool tells of no attribute at all", async () => {
    const made = await plan(
      tellingLess(() => false),
      pool,
      { snapshot },
    );
    expect(made.lost.filter((line) => line.startsWith("attributes"))).toEqual([]);
    await restore(made);
    expect(await stateOf(aws, pool)).toEqual(await stateOf(aws, source));
  });

  it("removes nothing that the snapshot has, where the pool tells of no attribute at all", async () => {
    await restore(await plan(aws, pool, { snapshot }));
    await setAttribute("anna", "nickname", "A");
    const made = await plan(
      tellingLess(() => false),
      pool,
      { snapshot, onConflict: "replace" },
    );
    await restore(made);
    expect(await stateOf(aws, pool)).toEqual(await stateOf(aws, source));
  });
});

describe("a group that Cognito refuses", () => {
  it("is named, and the accounts are made without it", async () => {
    const groups = snapshot.groups.map((group) =>
      group.name === "staff" ? { ...group, roleArn: "no-role" } : group,
    );
    const made = await plan(aws, pool, { snapshot: { ...snapshot, groups } });
    const done = await restore(made);
    expect(done).toMatchObject({ groups: 2, created: 3, failed: [{ what: "group staff" }] });
    const groupsOf = (await stateOf(aws, pool)) as { Username: string; groups: string[] }[];
    expect(groupsOf.map(({ Username, groups: of }) => [Username, of])).toEqual([
      ["anna", ["admins"]],
      ["berta", []],
      ["carl", []],
    ]);
  });

  it("is not one with an empty role, as some servers tell of it", async () => {
    const groups = snapshot.groups.map((group) => ({ ...group, roleArn: "" }));
    const done = await restore(await plan(aws, pool, { snapshot: { ...snapshot, groups } }));
    expect(done).toMatchObject({ groups: 3, failed: [] });
    expect(await stateOf(aws, pool)).toEqual(await stateOf(aws, source));
  });
});

describe("the same account as in the snapshot", () => {
  it("that somebody enabled since is a conflict, never taken for an unfinished one", async () => {
    const own = await makePool(aws);
    await makeUsers(aws, own, { dora: { disabled: true } });
    const taken = await snapshotOf(aws, own);
    const cognito = await aws.cognito();
    await cognito.send(new AdminEnableUserCommand({ UserPoolId: own, Username: "dora" }));
    const made = await plan(aws, own, { snapshot: taken });
    expect(made.counts).toEqual({ ...none, conflict: 1 });
  });
});

describe("a restore that was broken off", () => {
  /** Clients that die with the n-th changing call: before it is sent, or before its answer is heard. */
  function mortal(fatal: number, when: "before" | "after"): Aws {
    let calls = 0;
    return {
      ...aws,
      cognito: async () => {
        const cognito = await aws.cognito();
        const send = async (command: { constructor: { name: string } }, options: object) => {
          if (/^(?:List|Describe|AdminGet)/.test(command.constructor.name))
            return cognito.send(command as never, options);
          calls += 1;
          if (calls > fatal || (calls === fatal && when === "before")) throw new Error("killed");
          const answer: unknown = await cognito.send(command as never, options);
          if (calls === fatal) throw new Error("killed");
          return answer;
        };
        return { config: cognito.config, send } as never;
      },
    };
  }

  // Three groups, three accounts, three memberships, one to be disabled.
  const calls = 10;
  const deaths = Array.from({ length: calls }, (_, index) => index + 1).flatMap((fatal) =>
    (["before", "after"] as const).map((when) => ({ fatal, when })),
  );

  it.each(deaths)("$when its change $fatal comes to the same end when run again", async ({ fatal, when }) => {
    const first = await plan(aws, pool, { snapshot });
    await expect(restoreUsers(mortal(fatal, when), first, { now: fastClock() })).rejects.toThrow("killed");
    const second = await plan(aws, pool, { snapshot });
    expect(second.counts.conflict).toBe(0);
    expect((await restore(second)).failed).toEqual([]);
    expect(await stateOf(aws, pool)).toEqual(await stateOf(aws, source));
    expect((await plan(aws, pool, { snapshot })).counts).toEqual({ ...none, same: 3 });
  });
});

it("goes on after accounts that Cognito refuses or somebody else made since, and names them", async () => {
  const made = await plan(aws, pool, { snapshot });
  const cognito = await aws.cognito();
  await cognito.send(
    new AdminCreateUserCommand({
      UserPoolId: pool,
      Username: "carl",
      MessageAction: "SUPPRESS",
      UserAttributes: [{ Name: "name", Value: "somebody else's" }],
    }),
  );
  const bad = {
    ...made,
    steps: made.steps.map((step) =>
      step.kind === "create" && step.username === "anna"
        ? { ...step, attributes: [{ name: "email", value: "no address" }] }
        : step,
    ),
  };
  const done = await restore(bad);
  expect(done.created).toBe(1);
  expect(new Map(done.failed.map(({ what, why }) => [what, why]))).toEqual(
    new Map([
      ["account anna", expect.stringMatching(/email/i)],
      ["account carl", expect.stringMatching(/exists/)],
    ]),
  );
  expect((await account("carl")).UserAttributes).toContainEqual({ Name: "name", Value: "somebody else's" });
});
