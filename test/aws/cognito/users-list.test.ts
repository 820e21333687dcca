import { describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { createGroup, listGroups, readMemberships } from "../../../src/aws/cognito/groups.ts";
import { listPoolUsers, readPoolAccount, type PoolAccount } from "../../../src/aws/cognito/users-list.ts";
import type { Paced } from "../../../src/aws/cognito/users-pace.ts";

const poolId = "eu-central-1_abc";
const paced: Paced = (call) => call();

type Answer = Record<string, unknown> | Error;

/** A Cognito that gives these answers, one after the other, and notes what it was asked. */
function answering(...answers: Answer[]): { aws: Aws; asked: Record<string, unknown>[] } {
  const asked: Record<string, unknown>[] = [];
  const send = async ({ input }: { input: Record<string, unknown> }) => {
    asked.push(input);
    const answer = answers.shift();
    if (answer === undefined) throw new Error("asked too often");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { aws: { cognito: async () => ({ send }) } as unknown as Aws, asked };
}

const failure = (name: string) => Object.assign(new Error(name), { name });

describe("the accounts of a pool", () => {
  it("are read to the last page, also behind an empty one", async () => {
    const { aws, asked } = answering(
      { Users: [{ Username: "a" }], PaginationToken: "1" },
      { Users: [], PaginationToken: "2" },
      { Users: [{ Username: "b" }, { Username: "c" }] },
    );
    const pages: string[][] = [];
    for await (const page of listPoolUsers(aws, poolId, { paced }))
      pages.push(page.map(({ username }) => username));
    expect(pages).toEqual([["a"], ["b", "c"]]);
    expect(asked).toEqual([
      { UserPoolId: poolId, Limit: 60, PaginationToken: undefined },
      { UserPoolId: poolId, Limit: 60, PaginationToken: "1" },
      { UserPoolId: poolId, Limit: 60, PaginationToken: "2" },
    ]);
  });

  it("have their attributes in one order, without the sub", async () => {
    const { aws } = answering({
      Username: "max",
      UserAttributes: [
        { Name: "sub", Value: "11111111-aaaa-4aaa-8aaa-000000000001" },
        { Name: "name", Value: "Max" },
        { Name: "email", Value: "max@example.com" },
      ],
      UserStatus: "CONFIRMED",
      Enabled: false,
      UserCreateDate: new Date(1),
      UserLastModifiedDate: new Date(2),
    });
    expect(await readPoolAccount(aws, poolId, { username: "max", paced })).toEqual({
      username: "max",
      sub: "11111111-aaaa-4aaa-8aaa-000000000001",
      attributes: [
        { name: "email", value: "max@example.com" },
        { name: "name", value: "Max" },
      ],
      status: "CONFIRMED",
      enabled: false,
      createdAt: new Date(1),
      modifiedAt: new Date(2),
      secondFactors: [],
    } satisfies PoolAccount);
  });

  it("are told apart: one that is not there is undefined, other failures pass", async () => {
    const { aws } = answering(failure("UserNotFoundException"), failure("NotAuthorizedException"));
    expect(await readPoolAccount(aws, poolId, { username: "max", paced })).toBeUndefined();
    await expect(readPoolAccount(aws, poolId, { username: "max", paced })).rejects.toThrow("NotAuthorized");
  });
});

describe("the groups of a pool", () => {
  it("are read to the last page, by name, without what is empty", async () => {
    const { aws } = answering(
      { Groups: [{ GroupName: "staff", Description: "", Precedence: 0 }], NextToken: "1" },
      { Groups: [{ GroupName: "admins", Description: "all", RoleArn: "arn:aws:iam::1:role/a" }] },
    );
    expect(await listGroups(aws, poolId, { paced })).toEqual([
      { name: "admins", description: "all", roleArn: "arn:aws:iam::1:role/a" },
      { name: "staff", precedence: 0 },
    ]);
  });

  it("tell each member's groups, of all pages of all groups", async () => {
    const { aws, asked } = answering(
      { Users: [{ Username: "a" }], NextToken: "1" },
      { Users: [{ Username: "b" }] },
      { Users: [{ Username: "b" }] },
    );
    const groups = [{ name: "staff" }, { name: "admins" }];
    expect(await readMemberships(aws, poolId, { groups, paced })).toEqual(
      new Map([
        ["a", ["staff"]],
        ["b", ["admins", "staff"]],
      ]),
    );
    expect(asked.map(({ GroupName, NextToken }) => [GroupName, NextToken])).toEqual([
      ["staff", undefined],
      ["staff", "1"],
      ["admins", undefined],
    ]);
  });

  it("are made once, whoever was first", async () => {
    const { aws } = answering({}, failure("GroupExistsException"), failure("LimitExceededException"));
    const make = () => createGroup(aws, poolId, { group: { name: "staff" }, paced });
    expect([await make(), await make()]).toEqual(["created", "exists"]);
    await expect(make()).rejects.toThrow("LimitExceeded");
  });
});
