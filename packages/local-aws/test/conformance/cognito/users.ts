import {
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminUserGlobalSignOutCommand,
  AdminGetUserCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import {
  type Check,
  createUser,
  emailAliasPool,
  emailPool,
  getUser,
  listNames,
  pairs,
  record,
  uuid,
} from "./check.ts";

export const userChecks: readonly Check[] = [
  {
    name: "makes a user with a sub of its own, enabled, who has to change the password",
    async run(scope) {
      const pool = await scope.pool();
      const { User: made } = await scope.client.send(
        new AdminCreateUserCommand({
          UserPoolId: pool,
          Username: "max",
          MessageAction: "SUPPRESS",
          UserAttributes: pairs({ email: "max@example.com", name: "Max Müller" }),
        }),
      );
      expect(made).toMatchObject({ Username: "max", Enabled: true, UserStatus: "FORCE_CHANGE_PASSWORD" });
      const { sub, ...attributes } = record(made?.Attributes);
      expect(sub).toMatch(uuid);
      expect(attributes).toEqual({ email: "max@example.com", name: "Max Müller" });
      expect(made?.UserCreateDate).toBeInstanceOf(Date);
      const read = await getUser(scope, pool, "max");
      expect(read).toMatchObject({ username: "max", sub, attributes, enabled: true });
      expect(read.createdAt).toEqual(made?.UserCreateDate);
    },
  },
  {
    name: "gives another sub to a user who is deleted and made again",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      const first = await getUser(scope, pool, "max");
      await scope.client.send(new AdminDeleteUserCommand({ UserPoolId: pool, Username: "max" }));
      await createUser(scope, pool, "max");
      const second = await getUser(scope, pool, "max");
      expect(second.sub).toMatch(uuid);
      expect(second.sub).not.toBe(first.sub);
    },
  },
  {
    name: "takes no sub from outside",
    async run(scope) {
      const pool = await scope.pool();
      const sub = "11111111-2222-4333-8444-555555555555";
      await refused(createUser(scope, pool, "max", { attributes: { sub } }), "InvalidParameterException");
      expect(await listNames(scope, pool)).toEqual([]);
    },
  },
  {
    name: "does not make a user name twice, and keeps the first user",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { name: "first" } });
      await refused(
        createUser(scope, pool, "max", { attributes: { name: "second" } }),
        "UsernameExistsException",
        /already exists/,
      );
      expect((await getUser(scope, pool, "max")).attributes).toEqual({ name: "first" });
    },
  },
  {
    name: "makes one of two users with one name who come at the same time",
    async run(scope) {
      const pool = await scope.pool();
      const outcomes = await Promise.allSettled(
        ["a", "b", "c"].map((name) => createUser(scope, pool, "max", { attributes: { name } })),
      );
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await listNames(scope, pool)).toEqual(["max"]);
    },
  },
  {
    name: "keeps user names apart by case, unless the pool says otherwise",
    async run(scope) {
      const strict = await scope.pool();
      await createUser(scope, strict, "Max");
      await createUser(scope, strict, "max");
      expect(await listNames(scope, strict)).toEqual(["Max", "max"]);
      const lax = await scope.pool({ UsernameConfiguration: { CaseSensitive: false } });
      await createUser(scope, lax, "Max");
      await refused(createUser(scope, lax, "max"), "UsernameExistsException");
      expect((await getUser(scope, lax, "MAX")).sub).toMatch(uuid);
    },
  },
  {
    name: "refuses user names with spaces, empty and with more than 128 characters",
    async run(scope) {
      const pool = await scope.pool();
      for (const name of ["max mustermann", "x".repeat(129)])
        await refused(createUser(scope, pool, name), "InvalidParameterException", /username/);
      expect(await listNames(scope, pool)).toEqual([]);
    },
  },
  {
    name: "takes user names of letters, marks and symbols of any script",
    async run(scope) {
      const pool = await scope.pool();
      const names = ["Jürgen", "максим", "a+b=c", "😀", "x".repeat(128)];
      for (const name of names) await createUser(scope, pool, name);
      expect(await listNames(scope, pool)).toEqual(names.toSorted());
    },
  },
  {
    name: "finds a user by the sub as well as by the name",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      const { sub } = await getUser(scope, pool, "max");
      expect((await getUser(scope, pool, sub)).username).toBe("max");
    },
  },
  {
    name: "makes the user name itself where the pool signs in by e-mail",
    async run(scope) {
      const pool = await scope.pool(emailPool);
      const username = await createUser(scope, pool, "max@example.com", {
        attributes: { email: "max@example.com", email_verified: "true" },
      });
      expect(username).toMatch(uuid);
      const user = await getUser(scope, pool, "max@example.com");
      expect(user).toMatchObject({
        username,
        sub: username,
        attributes: { email: "max@example.com", email_verified: "true" },
      });
    },
  },
  {
    name: "takes the user name as the e-mail address where none is given",
    async run(scope) {
      const pool = await scope.pool(emailPool);
      await createUser(scope, pool, "max@example.com");
      expect((await getUser(scope, pool, "max@example.com")).attributes["email"]).toBe("max@example.com");
    },
  },
  {
    name: "refuses in such a pool what is no e-mail address, and one address twice",
    async run(scope) {
      const pool = await scope.pool(emailPool);
      await refused(createUser(scope, pool, "max"), "InvalidParameterException", /Username should be/);
      await createUser(scope, pool, "max@example.com");
      await refused(createUser(scope, pool, "max@example.com"), "UsernameExistsException");
      await refused(createUser(scope, pool, "MAX@example.com"), "UsernameExistsException");
      expect(await listNames(scope, pool)).toHaveLength(1);
    },
  },
  {
    name: "takes no e-mail address for a user name where addresses are aliases",
    async run(scope) {
      const pool = await scope.pool(emailAliasPool);
      await refused(createUser(scope, pool, "max@example.com"), "InvalidParameterException", /email format/);
      expect(await listNames(scope, pool)).toEqual([]);
    },
  },
  {
    name: "finds a user by a verified alias, and not by one that is not",
    async run(scope) {
      const pool = await scope.pool(emailAliasPool);
      await createUser(scope, pool, "max", {
        attributes: { email: "max@example.com", email_verified: "true" },
      });
      await createUser(scope, pool, "eva", { attributes: { email: "eva@example.com" } });
      expect((await getUser(scope, pool, "max@example.com")).username).toBe("max");
      await refused(getUser(scope, pool, "eva@example.com"), "UserNotFoundException");
    },
  },
  {
    name: "gives a verified alias to one user only, unless it is forced",
    async run(scope) {
      const pool = await scope.pool(emailAliasPool);
      const attributes = { email: "max@example.com", email_verified: "true" };
      await createUser(scope, pool, "max", { attributes });
      await refused(createUser(scope, pool, "other", { attributes }), "AliasExistsException");
      expect(await listNames(scope, pool)).toEqual(["max"]);
      await createUser(scope, pool, "other", { attributes, ForceAliasCreation: true });
      expect((await getUser(scope, pool, "max@example.com")).username).toBe("other");
      expect((await getUser(scope, pool, "max")).attributes["email_verified"]).toBe("false");
    },
  },
  {
    name: "says UserNotFoundException of a user who is not there, in every call",
    async run({ client, pool }) {
      const about = { UserPoolId: await pool(), Username: "nobody" };
      for (const call of [
        () => client.send(new AdminGetUserCommand(about)),
        () => client.send(new AdminDeleteUserCommand(about)),
        () => client.send(new AdminDisableUserCommand(about)),
        () => client.send(new AdminUserGlobalSignOutCommand(about)),
        () => client.send(new AdminCreateUserCommand({ ...about, MessageAction: "RESEND" })),
      ])
        await refused(call(), "UserNotFoundException", /User does not exist/);
    },
  },
  {
    name: "disables and enables a user, also twice, and changes nothing else",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { name: "Max" } });
      const about = { UserPoolId: pool, Username: "max" };
      for (const expected of [false, false]) {
        await scope.client.send(new AdminDisableUserCommand(about));
        expect(await getUser(scope, pool, "max")).toMatchObject({
          enabled: expected,
          status: "FORCE_CHANGE_PASSWORD",
          attributes: { name: "Max" },
        });
      }
      await scope.client.send(new AdminEnableUserCommand(about));
      expect((await getUser(scope, pool, "max")).enabled).toBe(true);
    },
  },
  {
    name: "deletes a user for good, and gives the name and the address free",
    async run(scope) {
      const pool = await scope.pool(emailPool);
      await createUser(scope, pool, "max@example.com");
      await scope.client.send(new AdminDeleteUserCommand({ UserPoolId: pool, Username: "max@example.com" }));
      await refused(getUser(scope, pool, "max@example.com"), "UserNotFoundException");
      expect(await listNames(scope, pool)).toEqual([]);
      await createUser(scope, pool, "max@example.com");
      expect(await listNames(scope, pool)).toHaveLength(1);
    },
  },
  {
    name: "signs a user out who was never signed in",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      await scope.client.send(new AdminUserGlobalSignOutCommand({ UserPoolId: pool, Username: "max" }));
      expect((await getUser(scope, pool, "max")).status).toBe("FORCE_CHANGE_PASSWORD");
    },
  },
];
