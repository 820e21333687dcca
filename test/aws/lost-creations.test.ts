import { afterAll, beforeAll, expect, test } from "vitest";
import { createGroup } from "../../src/aws/cognito/groups.ts";
import { makeTable, type TableToMake } from "../../src/aws/dynamodb/make-table.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";

/*
 * Something is made and the answer lost; the SDK asks again, and it is there already: made by the first of the two calls, or by
 * somebody else.
 */

let local: LocalAws;

beforeAll(async () => {
  local = await openLocalAws();
});
afterAll(() => local.close());

/** Clients that lose the answer to the first call of an action. */
async function losing(service: "dynamodb" | "cognito", action: string) {
  const { server, aws } = await local.faulty(service);
  let isLost = false;
  server.fault = ({ headers }) => {
    if (isLost || !String(headers["x-amz-target"]).endsWith(`.${action}`)) return undefined;
    isLost = true;
    return "lose the answer";
  };
  return aws;
}

const table = (name: string, tags: Record<string, string>): TableToMake => ({
  name,
  tags,
  keys: { partition: { name: "id", type: "S" } },
  indexes: [],
  localIndexes: [],
  billing: "on-demand",
});

test("a table is ours by its tags", async () => {
  const aws = await losing("dynamodb", "CreateTable");
  expect(await makeTable(aws, table("ours", { of: "one" }), { firstDelayMs: 1 })).toBe("made");
});

test("a table of somebody else is theirs, whether an answer was lost or not", async () => {
  await makeTable(local.aws, table("theirs", { of: "other" }), { firstDelayMs: 1 });
  expect(await makeTable(local.aws, table("theirs", { of: "one" }))).toBe("exists");
  const aws = await losing("dynamodb", "CreateTable");
  expect(await makeTable(aws, table("theirs", { of: "one" }))).toBe("exists");
});

test("a group is created, not found there", async () => {
  const poolId = localPoolId("eu-central-1");
  const aws = await losing("cognito", "CreateGroup");
  const paced = <T>(call: () => Promise<T>) => call();
  const make = () => createGroup(aws, poolId, { group: { name: "staff" }, paced });
  expect([await make(), await make()]).toEqual(["created", "exists"]);
});
