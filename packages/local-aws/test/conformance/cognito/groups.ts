import {
  AdminAddUserToGroupCommand,
  AdminDeleteUserCommand,
  AdminListGroupsForUserCommand,
  AdminRemoveUserFromGroupCommand,
  CreateGroupCommand,
  DeleteGroupCommand,
  GetGroupCommand,
  ListUsersInGroupCommand,
  UpdateGroupCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import { type Check, createGroup, createUser, getUser, groupNames, membersOf, type Scope } from "./check.ts";

function join({ client }: Scope, UserPoolId: string, who: { Username: string; GroupName: string }) {
  return client.send(new AdminAddUserToGroupCommand({ UserPoolId, ...who }));
}

async function groupsOf({ client }: Scope, UserPoolId: string, Username: string): Promise<string[]> {
  const { Groups: groups = [] } = await client.send(
    new AdminListGroupsForUserCommand({ UserPoolId, Username }),
  );
  return groups.map(({ GroupName }) => GroupName ?? "").toSorted();
}

export const groupChecks: readonly Check[] = [
  {
    name: "makes a group and tells it as it was made",
    async run(scope) {
      const pool = await scope.pool();
      const settings = {
        Description: "Those who may do everything",
        Precedence: 0,
        RoleArn: "arn:aws:iam::123456789012:role/admins",
      };
      const { Group: made } = await scope.client.send(
        new CreateGroupCommand({ UserPoolId: pool, GroupName: "admins", ...settings }),
      );
      expect(made).toMatchObject({ GroupName: "admins", UserPoolId: pool, ...settings });
      const { Group: read } = await scope.client.send(
        new GetGroupCommand({ UserPoolId: pool, GroupName: "admins" }),
      );
      expect(read).toMatchObject({ GroupName: "admins", ...settings });
      expect(read?.CreationDate).toBeInstanceOf(Date);
    },
  },
  {
    name: "does not make a group twice, and keeps the first",
    async run(scope) {
      const pool = await scope.pool();
      const make = (Description: string) =>
        scope.client.send(new CreateGroupCommand({ UserPoolId: pool, GroupName: "admins", Description }));
      await make("first");
      await refused(make("second"), "GroupExistsException");
      const { Group } = await scope.client.send(
        new GetGroupCommand({ UserPoolId: pool, GroupName: "admins" }),
      );
      expect(Group?.Description).toBe("first");
    },
  },
  {
    name: "changes what is named of a group and keeps its members",
    async run(scope) {
      const pool = await scope.pool();
      await scope.client.send(
        new CreateGroupCommand({ UserPoolId: pool, GroupName: "staff", Description: "old", Precedence: 5 }),
      );
      await createUser(scope, pool, "max");
      await join(scope, pool, { Username: "max", GroupName: "staff" });
      await scope.client.send(
        new UpdateGroupCommand({ UserPoolId: pool, GroupName: "staff", Description: "new", Precedence: 3 }),
      );
      const { Group } = await scope.client.send(
        new GetGroupCommand({ UserPoolId: pool, GroupName: "staff" }),
      );
      expect(Group).toMatchObject({ Description: "new", Precedence: 3 });
      expect(await membersOf(scope, pool, { group: "staff" })).toEqual(["max"]);
    },
  },
  {
    name: "keeps what is not named when a group is changed",
    async run({ client, pool }) {
      const settings = {
        Description: "Those who may do everything",
        Precedence: 5,
        RoleArn: "arn:aws:iam::123456789012:role/admins",
      };
      for (const changed of [
        { Description: "Those who may do most" },
        { Precedence: 0 },
        { RoleArn: "arn:aws:iam::123456789012:role/staff" },
      ]) {
        const group = { UserPoolId: await pool(), GroupName: "admins" };
        await client.send(new CreateGroupCommand({ ...group, ...settings }));
        await client.send(new UpdateGroupCommand({ ...group, ...changed }));
        const { Group } = await client.send(new GetGroupCommand(group));
        expect(Group).toMatchObject({ ...settings, ...changed });
      }
    },
  },
  {
    name: "lists groups page by page",
    async run(scope) {
      const pool = await scope.pool();
      const names = ["a", "b", "c", "d", "e"];
      for (const name of names) await createGroup(scope, pool, name);
      expect(await groupNames(scope, pool)).toEqual(names);
      expect(await groupNames(scope, pool, 2)).toEqual(names);
    },
  },
  {
    name: "puts a user into groups, once however often, and takes them out again",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      for (const name of ["staff", "admins"]) await createGroup(scope, pool, name);
      for (const GroupName of ["staff", "admins", "staff"])
        await join(scope, pool, { Username: "max", GroupName });
      expect(await groupsOf(scope, pool, "max")).toEqual(["admins", "staff"]);
      const leave = new AdminRemoveUserFromGroupCommand({
        UserPoolId: pool,
        Username: "max",
        GroupName: "staff",
      });
      await scope.client.send(leave);
      expect(await groupsOf(scope, pool, "max")).toEqual(["admins"]);
      expect(await membersOf(scope, pool, { group: "staff" })).toEqual([]);
    },
  },
  {
    name: "knows a member by the sub as well",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      await createGroup(scope, pool, "staff");
      const { sub } = await getUser(scope, pool, "max");
      await join(scope, pool, { Username: sub, GroupName: "staff" });
      expect(await membersOf(scope, pool, { group: "staff" })).toEqual(["max"]);
    },
  },
  {
    name: "lists the members of a group page by page, with their attributes",
    async run(scope) {
      const pool = await scope.pool();
      await createGroup(scope, pool, "staff");
      const names = ["a", "b", "c", "d", "e"];
      for (const Username of names) {
        await createUser(scope, pool, Username, { attributes: { name: Username } });
        await join(scope, pool, { Username, GroupName: "staff" });
      }
      await createUser(scope, pool, "outsider");
      expect(await membersOf(scope, pool, { group: "staff" })).toEqual(names);
      expect(await membersOf(scope, pool, { group: "staff", Limit: 2 })).toEqual(names);
      const { Users: users = [] } = await scope.client.send(
        new ListUsersInGroupCommand({ UserPoolId: pool, GroupName: "staff", Limit: 1 }),
      );
      expect(users[0]?.Attributes).toEqual(
        expect.arrayContaining([{ Name: "name", Value: users[0]?.Username }]),
      );
      expect(users[0]?.Enabled).toBe(true);
    },
  },
  {
    name: "loses memberships with the user and with the group",
    async run(scope) {
      const pool = await scope.pool();
      for (const name of ["staff", "admins"]) await createGroup(scope, pool, name);
      for (const Username of ["max", "eva"]) {
        await createUser(scope, pool, Username);
        for (const GroupName of ["staff", "admins"]) await join(scope, pool, { Username, GroupName });
      }
      await scope.client.send(new AdminDeleteUserCommand({ UserPoolId: pool, Username: "max" }));
      expect(await membersOf(scope, pool, { group: "staff" })).toEqual(["eva"]);
      await scope.client.send(new DeleteGroupCommand({ UserPoolId: pool, GroupName: "staff" }));
      expect(await groupsOf(scope, pool, "eva")).toEqual(["admins"]);
      await createUser(scope, pool, "max");
      await createGroup(scope, pool, "staff");
      expect(await groupsOf(scope, pool, "max")).toEqual([]);
      expect(await membersOf(scope, pool, { group: "staff" })).toEqual([]);
    },
  },
  {
    name: "says what is missing, the group or the user",
    async run(scope) {
      const pool = await scope.pool();
      const { client } = scope;
      await createUser(scope, pool, "max");
      await createGroup(scope, pool, "staff");
      await refused(
        join(scope, pool, { Username: "max", GroupName: "none" }),
        "ResourceNotFoundException",
        /Group not found/,
      );
      await refused(join(scope, pool, { Username: "nobody", GroupName: "staff" }), "UserNotFoundException");
      const none = { UserPoolId: pool, GroupName: "none" };
      for (const call of [
        () => client.send(new GetGroupCommand(none)),
        () => client.send(new DeleteGroupCommand(none)),
        () => client.send(new ListUsersInGroupCommand(none)),
        () => client.send(new UpdateGroupCommand({ ...none, Description: "x" })),
      ])
        await refused(call(), "ResourceNotFoundException");
    },
  },
];
