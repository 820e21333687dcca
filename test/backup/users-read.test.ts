import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { readUsers } from "../../src/backup/users-read.ts";
import { CliError } from "../../src/errors.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";
import { fastClock, makeGroups, makePool, makeUsers, snapshotOf } from "./user-pools.ts";

let local: LocalAws;
let aws: Aws;

beforeAll(async () => {
  local = await openLocalAws();
  aws = local.aws;
});
afterAll(() => local.close());

const names = Array.from({ length: 130 }, (_, index) => `user-${String(index).padStart(3, "0")}`);

it("gives every account of every page with its groups, a page's lines at a time", async () => {
  const poolId = await makePool(aws);
  await makeGroups(aws, poolId, ["odd", "first"]);
  await makeUsers(
    aws,
    poolId,
    Object.fromEntries(
      names.map((name, index) => [
        name,
        { attributes: { name }, groups: index === 0 ? ["first"] : index % 2 === 1 ? ["odd"] : [] },
      ]),
    ),
  );
  const added: Buffer[] = [];
  const result = await readUsers({
    aws,
    poolId,
    now: fastClock(),
    add: async (lines) => void added.push(lines),
  });
  expect(result).toEqual({ users: 130, groups: [{ name: "first" }, { name: "odd" }] });
  expect(added.map((lines) => lines.toString().split("\n").length - 1)).toEqual([60, 60, 10]);
  expect(added.every((lines) => lines.at(-1) === 10)).toBe(true);
  const { lines } = await snapshotOf(aws, poolId);
  expect(lines.map(({ put }) => put.Username)).toEqual(names);
  expect(lines.filter(({ seen }) => seen.groups.includes("odd"))).toHaveLength(65);
  expect(lines[0]?.seen.groups).toEqual(["first"]);
});

it("gives the same bytes for a pool in which nothing changed", async () => {
  const poolId = await makePool(aws);
  await makeGroups(aws, poolId, ["b", "a"]);
  await makeUsers(aws, poolId, {
    max: { attributes: { name: "Max", email: "max@example.com" }, groups: ["b", "a"] },
  });
  const hash = async () => {
    const digest = createHash("sha256");
    await readUsers({ aws, poolId, now: fastClock(), add: async (lines) => void digest.update(lines) });
    return digest.digest("hex");
  };
  expect(await hash()).toBe(await hash());
});

it("asks for members by group, not by user", async () => {
  const poolId = await makePool(aws);
  await makeGroups(aws, poolId, ["staff"]);
  await makeUsers(aws, poolId, Object.fromEntries(names.slice(0, 20).map((name) => [name, {}])));
  const asked: string[] = [];
  const cognito = await aws.cognito();
  const counting = {
    ...aws,
    cognito: async () =>
      ({
        config: cognito.config,
        send(command: { constructor: { name: string } }, options: object) {
          asked.push(command.constructor.name);
          return cognito.send(command as never, options);
        },
      }) as never,
  };
  await readUsers({ aws: counting, poolId, now: fastClock(), add: async () => undefined });
  expect(asked).toEqual([
    "DescribeUserPoolCommand",
    "ListGroupsCommand",
    "ListUsersInGroupCommand",
    "ListUsersCommand",
  ]);
});

it("adds nothing for an empty pool, and fails with a hint for one that is not there", async () => {
  const added: Buffer[] = [];
  const read = (poolId: string) =>
    readUsers({ aws, poolId, now: fastClock(), add: async (lines) => void added.push(lines) });
  expect(await read(await makePool(aws))).toEqual({ users: 0, groups: [] });
  expect(added).toEqual([]);
  await expect(read("eu-central-1_Nowhere00")).rejects.toThrow(CliError);
});

it("stops when it is aborted", async () => {
  const poolId = await makePool(aws);
  await makeUsers(aws, poolId, { max: {} });
  const stop = new AbortController();
  const add = async () => undefined;
  stop.abort(new Error("enough"));
  await expect(readUsers({ aws, poolId, now: fastClock(), add, signal: stop.signal })).rejects.toThrow(
    /abort|enough/i,
  );
});
