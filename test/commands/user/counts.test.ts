import { DeleteItemCommand, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { typed } from "../../../src/aws/dynamodb/plain.ts";
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
