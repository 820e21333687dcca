import {
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  ListUsersCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import { type Check, createUser, getUser, listNames, record, type Scope } from "./check.ts";

async function someUsers(scope: Scope, pool: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `user-${String(index).padStart(3, "0")}`);
  for (const name of names) await createUser(scope, pool, name, { attributes: { name: `Name of ${name}` } });
  return names;
}

export const listingChecks: readonly Check[] = [
  {
    name: "lists a pool without users as empty",
    async run(scope) {
      const pool = await scope.pool();
      const page = await scope.client.send(new ListUsersCommand({ UserPoolId: pool }));
      expect(page.Users).toEqual([]);
      expect(page.PaginationToken).toBeUndefined();
    },
  },
  {
    name: "lists a user with attributes, state and times as AdminGetUser tells them",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { name: "Max", email: "max@example.com" } });
      await scope.client.send(new AdminDisableUserCommand({ UserPoolId: pool, Username: "max" }));
      const user = await getUser(scope, pool, "max");
      const { Users: users = [] } = await scope.client.send(new ListUsersCommand({ UserPoolId: pool }));
      expect(users).toHaveLength(1);
      expect(users[0]).toMatchObject({
        Username: "max",
        Enabled: false,
        UserStatus: user.status,
        UserCreateDate: user.createdAt,
        UserLastModifiedDate: user.modifiedAt,
      });
      expect(record(users[0]?.Attributes)).toEqual({ ...user.attributes, sub: user.sub });
    },
  },
  {
    name: "gives 60 users at once at most, and all of them page by page, each once",
    async run(scope) {
      const pool = await scope.pool();
      const names = await someUsers(scope, pool, 65);
      const first = await scope.client.send(new ListUsersCommand({ UserPoolId: pool }));
      expect(first.Users).toHaveLength(60);
      expect(first.PaginationToken).toBeDefined();
      expect(await listNames(scope, pool)).toEqual(names);
      expect(await listNames(scope, pool, { Limit: 7 })).toEqual(names);
    },
  },
  {
    name: "goes on behind a user who is deleted between two pages",
    async run(scope) {
      const pool = await scope.pool();
      const names = await someUsers(scope, pool, 5);
      const first = await scope.client.send(new ListUsersCommand({ UserPoolId: pool, Limit: 2 }));
      const seen = (first.Users ?? []).map(({ Username }) => Username ?? "");
      for (const Username of seen)
        await scope.client.send(new AdminDeleteUserCommand({ UserPoolId: pool, Username }));
      const second = await scope.client.send(
        new ListUsersCommand({ UserPoolId: pool, Limit: 60, PaginationToken: first.PaginationToken }),
      );
      const rest = (second.Users ?? []).map(({ Username }) => Username ?? "");
      expect([...seen, ...rest].toSorted()).toEqual(names);
    },
  },
  {
    name: "refuses limits above 60 and tokens that it never gave",
    async run(scope) {
      const pool = await scope.pool();
      await refused(
        scope.client.send(new ListUsersCommand({ UserPoolId: pool, Limit: 61 })),
        "InvalidParameterException",
        /less than or equal to 60/,
      );
      await refused(
        scope.client.send(new ListUsersCommand({ UserPoolId: pool, PaginationToken: "made-up" })),
        "InvalidParameterException",
      );
    },
  },
  {
    name: "gives only the attributes asked for",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { name: "Max", email: "max@example.com" } });
      const page = await scope.client.send(
        new ListUsersCommand({ UserPoolId: pool, AttributesToGet: ["email"] }),
      );
      expect(record(page.Users?.[0]?.Attributes)).toEqual({ email: "max@example.com" });
    },
  },
  {
    name: "refuses to give attributes that the pool does not have",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      await refused(
        scope.client.send(new ListUsersCommand({ UserPoolId: pool, AttributesToGet: ["custom:none"] })),
        "InvalidParameterException",
      );
    },
  },
  {
    name: "finds users by an attribute's whole value",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", {
        attributes: { email: "max@example.com", given_name: "Max", family_name: "Müller" },
      });
      await createUser(scope, pool, "eva", { attributes: { email: "eva@example.com", given_name: "Eva" } });
      const { sub } = await getUser(scope, pool, "eva");
      const found = (Filter: string) => listNames(scope, pool, { Filter });
      expect(await found('email = "max@example.com"')).toEqual(["max"]);
      expect(await found('given_name="Eva"')).toEqual(["eva"]);
      expect(await found('family_name = "Müller"')).toEqual(["max"]);
      expect(await found('username = "eva"')).toEqual(["eva"]);
      expect(await found(`sub = "${sub}"`)).toEqual(["eva"]);
      expect(await found('email = "max@example"')).toEqual([]);
    },
  },
  {
    name: "finds users by the beginning of a value",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "anna", { attributes: { email: "anna@example.com" } });
      await createUser(scope, pool, "anton", { attributes: { email: "anton@example.com" } });
      await createUser(scope, pool, "berta", { attributes: { email: "berta@example.com" } });
      const found = (Filter: string) => listNames(scope, pool, { Filter });
      expect(await found('email ^= "an"')).toEqual(["anna", "anton"]);
      expect(await found('username ^= "ann"')).toEqual(["anna"]);
      expect(await found('username^="x"')).toEqual([]);
    },
  },
  {
    name: "finds users by their state and by whether they are enabled",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "on");
      await createUser(scope, pool, "off");
      await scope.client.send(new AdminDisableUserCommand({ UserPoolId: pool, Username: "off" }));
      const found = (Filter: string) => listNames(scope, pool, { Filter });
      expect(await found('status = "Enabled"')).toEqual(["on"]);
      expect(await found('status = "Disabled"')).toEqual(["off"]);
      expect(await found('cognito:user_status = "FORCE_CHANGE_PASSWORD"')).toEqual(["off", "on"]);
      expect(await found('cognito:user_status = "CONFIRMED"')).toEqual([]);
    },
  },
  {
    name: "pages through what a filter finds",
    async run(scope) {
      const pool = await scope.pool();
      const names = await someUsers(scope, pool, 6);
      await createUser(scope, pool, "another");
      expect(await listNames(scope, pool, { Filter: 'username ^= "user-"', Limit: 2 })).toEqual(names);
    },
  },
  {
    name: "reads quotes in a filter's value behind a backslash",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "quoted", { attributes: { name: 'Max "M" Müller' } });
      await createUser(scope, pool, "plain", { attributes: { name: "Max" } });
      expect(await listNames(scope, pool, { Filter: String.raw`name = "Max \"M\" Müller"` })).toEqual([
        "quoted",
      ]);
    },
  },
  {
    name: "refuses filters that it cannot read, and other attributes",
    async run(scope) {
      const pool = await scope.pool({
        Schema: [{ Name: "level", AttributeDataType: "String", Mutable: true }],
      });
      await createUser(scope, pool, "max");
      for (const Filter of ["foo", 'email > "a"', "email = max", '"email" = "a" and "b"'])
        await refused(
          scope.client.send(new ListUsersCommand({ UserPoolId: pool, Filter })),
          "InvalidParameterException",
        );
      for (const Filter of ['custom:level = "1"', 'locale = "de"'])
        await refused(
          scope.client.send(new ListUsersCommand({ UserPoolId: pool, Filter })),
          "InvalidParameterException",
        );
    },
  },
];
