import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeleteItemCommand, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { typed } from "../../../src/aws/dynamodb/plain.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const env = { MAWPS_MODEL: "prework-guide" };
const TableName = "pre-work-teams";
let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  await home.run(["setup", "--yes"], { env });
});
afterEach(() => home.remove());

async function put(table: string, item: Readonly<Record<string, unknown>>): Promise<void> {
  const Item = typed(item).M ?? {};
  await home.look(
    async (aws) => (await aws.dynamodb()).send(new PutItemCommand({ TableName: table, Item })),
    env,
  );
}

async function putTeam(teamId: string, members: readonly string[], more: object = {}): Promise<void> {
  const keys = { PK: `TEAM#${teamId}`, SK: "METADATA", GSI1PK: "ORG#o", GSI1SK: `TEAM#${teamId}` };
  await put(TableName, { ...keys, name: teamId, ...more });
  for (const id of members)
    await put(TableName, {
      PK: `TEAM#${teamId}`,
      SK: `MEMBER#${id}`,
      GSI2PK: `USER#${id}`,
      GSI2SK: `TEAM#${teamId}`,
    });
}

const teamOf = (teamId: string, table = TableName) =>
  home.look(async (aws) => {
    const Key = { PK: { S: `TEAM#${teamId}` }, SK: { S: "METADATA" } };
    return (await (await aws.dynamodb()).send(new GetItemCommand({ TableName: table, Key }))).Item;
  }, env);

const membersOf = (teamId: string) =>
  home.look(async (aws) => {
    const { Items = [] } = await (
      await aws.dynamodb()
    ).send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "PK = :team AND begins_with(SK, :member)",
        ExpressionAttributeValues: { ":team": { S: `TEAM#${teamId}` }, ":member": { S: "MEMBER#" } },
      }),
    );
    return Items.map(({ SK }) => SK?.S);
  }, env);

it("count an erased member off in the same step, where the team says how many there are", async () => {
  for (const id of ["u-1", "u-2", "u-3"])
    await put("pre-work-users", { PK: `USER#${id}`, SK: "METADATA", email: `${id}@example.com`, name: id });
  await putTeam("three", ["u-1", "u-2", "u-3"], { memberCount: 3, settings: { color: "blue" } });
  await putTeam("uncounted", ["u-1", "u-2"]);
  await putTeam("wrong", ["u-1"], { memberCount: 0 });
  await putTeam("beside", ["u-3"], { memberCount: 1 });
  const before = await teamOf("three");

  for (const id of ["u-1", "u-2"]) {
    const { exitCode, stderr } = await home.run(["user", "erase", id, "--yes"], { env });
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  }
  expect(await membersOf("three")).toEqual(["MEMBER#u-3"]);
  expect(await teamOf("three")).toEqual({ ...before, memberCount: { N: "1" } });
  expect([await membersOf("uncounted"), (await teamOf("uncounted"))?.["memberCount"]]).toEqual([
    [],
    undefined,
  ]);
  expect([await membersOf("wrong"), (await teamOf("wrong"))?.["memberCount"]]).toEqual([[], { N: "0" }]);
  expect((await teamOf("beside"))?.["memberCount"]).toEqual({ N: "1" });
});

it("are counted off where an item has several, where keys are numbers, and where one counts itself", async () => {
  const text = await readFile(join(import.meta.dirname, "../../../models/prework-guide.json"), "utf8");
  const model = JSON.parse(text) as {
    tables: Record<string, unknown>;
    entities: Record<string, unknown> & { teams: { fields: Record<string, unknown> } };
  };
  model.entities.teams.fields["seatCount"] = { type: "number", counts: "teamMembers" };
  model.tables["rooms"] = { name: "pre-work-rooms", key: "roomId" };
  model.entities["rooms"] = {
    what: "rooms within others",
    from: { table: "rooms" },
    fields: { roomId: "number", userId: "text", rooms: { type: "number", counts: "rooms" } },
    refs: { roomId: "rooms.roomId" },
    links: [{ subject: "user", role: "subject", by: "userId", find: "scan", erase: "delete" }],
  };
  model.tables["halls"] = { name: "pre-work-halls", key: "hallId" };
  model.entities["halls"] = {
    what: "halls",
    from: { table: "halls" },
    fields: { hallId: "number", seats: { type: "number", counts: "seats" } },
    personal: false,
    reason: "nobody's",
  };
  model.tables["seats"] = { name: "pre-work-seats", key: ["hallId", "userId"] };
  model.entities["seats"] = {
    what: "seats in halls",
    from: { table: "seats" },
    fields: { hallId: "number", userId: "text" },
    refs: { hallId: "halls.hallId" },
    links: [{ subject: "user", role: "subject", by: "userId", find: "scan", erase: "delete" }],
  };
  const path = join(home.folder, "mine.json");
  await writeFile(path, JSON.stringify(model));
  const site = modelSite(home, path);
  const made = await site.run("setup", "--yes");
  expect({ exitCode: made.exitCode, stderr: made.exitCode === 0 ? "" : made.stderr }).toEqual({
    exitCode: 0,
    stderr: "",
  });
  await put("pre-work-users", { PK: "USER#u-1", SK: "METADATA", email: "u-1@example.com", name: "u-1" });
  await putTeam("two", ["u-1", "u-2"], { memberCount: 2, seatCount: 5 });
  await site.put("pre-work-rooms", [{ roomId: 7, userId: "u-1", rooms: 1 }]);
  await site.put("pre-work-halls", [{ hallId: 7, seats: 2 }]);
  await site.put("pre-work-seats", [
    { hallId: 7, userId: "u-1" },
    { hallId: 7, userId: "u-2" },
  ]);
  const told = async () => (await site.run("model", "check", "--live")).stdout;
  expect(await told()).not.toContain("have a seats that");
  const { exitCode, stderr } = await site.run("user", "erase", "u-1", "--yes");
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(await membersOf("two")).toEqual(["MEMBER#u-2"]);
  expect(await teamOf("two")).toMatchObject({ memberCount: { N: "1" }, seatCount: { N: "4" } });
  expect(await site.rows("pre-work-rooms")).toEqual([]);
  expect(await site.rows("pre-work-seats")).toEqual([{ hallId: 7, userId: "u-2" }]);
  expect(await site.rows("pre-work-halls")).toEqual([{ hallId: 7, seats: 1 }]);
  await site.put("pre-work-halls", [{ hallId: 7, seats: 2 }]);
  expect(await told()).toContain(
    "table pre-work-halls: 1 of halls have a seats that is not the number of their seats\n",
  );
});

it("come back from a backup without those who were erased since", async () => {
  for (const id of ["u-1", "u-2", "u-3"])
    await put("pre-work-users", { PK: `USER#${id}`, SK: "METADATA", email: `${id}@example.com`, name: id });
  await putTeam("three", ["u-1", "u-2", "u-3"], { memberCount: 3 });
  await putTeam("uncounted", ["u-1"]);
  await putTeam("wrong", ["u-1"], { memberCount: 0 });
  await putTeam("beside", ["u-3"], { memberCount: 1 });
  const mawps = async (...argv: string[]) => {
    const { exitCode, stdout, stderr } = await home.run([...argv, "--yes", "--json"], { env });
    expect({ argv, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
      argv,
      exitCode: 0,
      stderr: "",
    });
    return JSON.parse(stdout) as { tables: { name: string; conflict: number; create: number }[] };
  };
  await mawps("backup", "create");
  await mawps("user", "erase", "u-1");
  await mawps("user", "erase", "u-2");
  const left = await teamOf("three");
  expect(left?.["memberCount"]).toEqual({ N: "1" });
  const ofTeams = ({ tables }: Awaited<ReturnType<typeof mawps>>) =>
    tables.find(({ name }) => name === TableName);
  expect(ofTeams(await mawps("backup", "restore"))).toMatchObject({ conflict: 0, create: 0 });

  const Key = { PK: { S: "TEAM#three" }, SK: { S: "METADATA" } };
  await home.look(async (aws) => (await aws.dynamodb()).send(new DeleteItemCommand({ TableName, Key })), env);
  expect(ofTeams(await mawps("backup", "restore"))).toMatchObject({ conflict: 0, create: 1 });
  expect(await teamOf("three")).toEqual(left);
  expect(await membersOf("three")).toEqual(["MEMBER#u-3"]);
  await mawps("backup", "restore", "--into-prefix", "test-");
  expect(await teamOf("three", `test-${TableName}`)).toEqual(left);
  const others = await Promise.all(
    ["uncounted", "wrong", "beside"].map((team) => teamOf(team, `test-${TableName}`)),
  );
  expect(others.map((team) => team?.["memberCount"])).toEqual([undefined, { N: "0" }, { N: "1" }]);
});

it("are told by a look at what is there, as is what an index does not show", async () => {
  await putTeam("right", ["u-1", "u-2"], { memberCount: 2 });
  await putTeam("wrong", ["u-1"], { memberCount: 3 });
  await put(TableName, { PK: "TEAM#right", SK: "MEMBER#u-3" });
  const { exitCode, stdout, stderr } = await home.run(["model", "check", "--live"], { env });
  expect(exitCode).toBe(4);
  expect(stdout).toContain(
    `table ${TableName}: 2 of teams have a memberCount that is not the number of their teamMembers\n`,
  );
  expect(stdout).toContain(
    `table ${TableName}: 1 of teamMembers lack GSI2PK: UserTeamsIndex does not show them\n`,
  );
  expect(stderr).toContain("that are not as the model of prework-guide says");
});
