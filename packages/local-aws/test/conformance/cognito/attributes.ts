import {
  AdminDeleteUserAttributesCommand,
  AdminUpdateUserAttributesCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import { type Check, createUser, emailAliasPool, emailPool, getUser, pairs, type Scope } from "./check.ts";

function update({ client }: Scope, UserPoolId: string, attributes: Readonly<Record<string, string>>) {
  const input = { UserPoolId, Username: "max", UserAttributes: pairs(attributes) };
  return client.send(new AdminUpdateUserAttributesCommand(input));
}

function remove({ client }: Scope, UserPoolId: string, UserAttributeNames: string[]) {
  return client.send(
    new AdminDeleteUserAttributesCommand({ UserPoolId, Username: "max", UserAttributeNames }),
  );
}

const custom = {
  Schema: [
    { Name: "level", AttributeDataType: "Number" as const, Mutable: true },
    { Name: "source", AttributeDataType: "String" as const, Mutable: false },
    {
      Name: "code",
      AttributeDataType: "String" as const,
      Mutable: true,
      StringAttributeConstraints: { MinLength: "2", MaxLength: "4" },
    },
  ],
};

export const attributeChecks: readonly Check[] = [
  {
    name: "sets the attributes given and leaves the others",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { name: "Max", locale: "de" } });
      const before = await getUser(scope, pool, "max");
      await update(scope, pool, { name: "Max Müller", nickname: "😀" });
      const after = await getUser(scope, pool, "max");
      expect(after.attributes).toEqual({ name: "Max Müller", nickname: "😀", locale: "de" });
      expect(after.sub).toBe(before.sub);
      expect(after.createdAt).toEqual(before.createdAt);
      expect(after.modifiedAt?.getTime()).toBeGreaterThanOrEqual(before.modifiedAt?.getTime() ?? Infinity);
    },
  },
  {
    name: "takes away an attribute that is set to nothing",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { name: "Max", locale: "de" } });
      await update(scope, pool, { locale: "" });
      expect((await getUser(scope, pool, "max")).attributes).toEqual({ name: "Max" });
    },
  },
  {
    name: "deletes the attributes named, also when they are not there",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { name: "Max", locale: "de", nickname: "M" } });
      await remove(scope, pool, ["locale", "nickname", "website"]);
      expect((await getUser(scope, pool, "max")).attributes).toEqual({ name: "Max" });
    },
  },
  {
    name: "keeps custom attributes, and refuses those that the pool does not have",
    async run(scope) {
      const pool = await scope.pool(custom);
      await createUser(scope, pool, "max", { attributes: { "custom:level": "7", "custom:source": "fair" } });
      expect((await getUser(scope, pool, "max")).attributes).toEqual({
        "custom:level": "7",
        "custom:source": "fair",
      });
      await refused(update(scope, pool, { "custom:other": "1" }), "InvalidParameterException");
      await refused(
        createUser(scope, pool, "eva", { attributes: { "custom:other": "1" } }),
        "InvalidParameterException",
        /Attributes did not conform to the schema/,
      );
    },
  },
  {
    name: "sets what is fixed once and never changes it",
    async run(scope) {
      const pool = await scope.pool(custom);
      await createUser(scope, pool, "max", { attributes: { "custom:source": "fair" } });
      await refused(update(scope, pool, { "custom:source": "web" }), "InvalidParameterException");
      expect((await getUser(scope, pool, "max")).attributes).toEqual({ "custom:source": "fair" });
    },
  },
  {
    name: "changes all attributes of a call or none",
    async run(scope) {
      const pool = await scope.pool(custom);
      await createUser(scope, pool, "max", { attributes: { name: "Max" } });
      await refused(update(scope, pool, { name: "Other", "custom:other": "1" }), "InvalidParameterException");
      expect((await getUser(scope, pool, "max")).attributes).toEqual({ name: "Max" });
    },
  },
  {
    name: "checks numbers, lengths, birthdays and addresses",
    async run(scope) {
      const pool = await scope.pool(custom);
      const malformed: Record<string, string>[] = [
        { "custom:level": "seven" },
        { "custom:code": "x" },
        { "custom:code": "xxxxx" },
        { birthdate: "1.1.2000" },
        { email: "nobody" },
        { phone_number: "0151 123" },
      ];
      for (const attributes of malformed)
        await refused(createUser(scope, pool, "max", { attributes }), "InvalidParameterException");
      const fine = {
        "custom:level": "-7",
        "custom:code": "xyz",
        birthdate: "2000-01-01",
        email: "max@example.com",
        phone_number: "+4915112345678",
      };
      await createUser(scope, pool, "max", { attributes: fine });
      expect((await getUser(scope, pool, "max")).attributes).toEqual(fine);
    },
  },
  {
    name: "holds values of 2,048 characters and refuses one more",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { profile: "x".repeat(2048) } });
      expect((await getUser(scope, pool, "max")).attributes["profile"]).toHaveLength(2048);
      await refused(update(scope, pool, { profile: "y".repeat(2049) }), "InvalidParameterException");
      expect((await getUser(scope, pool, "max")).attributes["profile"]).toBe("x".repeat(2048));
    },
  },
  {
    name: "takes a changed address for unverified unless the same call verifies it",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", {
        attributes: { email: "a@example.com", email_verified: "true" },
      });
      await update(scope, pool, { email: "b@example.com" });
      expect((await getUser(scope, pool, "max")).attributes["email_verified"] ?? "false").toBe("false");
      await update(scope, pool, { email: "c@example.com", email_verified: "true" });
      expect((await getUser(scope, pool, "max")).attributes).toEqual({
        email: "c@example.com",
        email_verified: "true",
      });
    },
  },
  {
    name: "verifies no address that is not there",
    async run(scope) {
      const pool = await scope.pool();
      await refused(
        createUser(scope, pool, "max", { attributes: { email_verified: "true" } }),
        "InvalidParameterException",
      );
    },
  },
  {
    name: "changes neither sub nor what it does not know",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      const { sub } = await getUser(scope, pool, "max");
      await refused(
        update(scope, pool, { sub: "11111111-2222-4333-8444-555555555555" }),
        "InvalidParameterException",
      );
      await refused(remove(scope, pool, ["sub"]), "InvalidParameterException");
      await refused(remove(scope, pool, ["custom:none"]), "InvalidParameterException");
      expect((await getUser(scope, pool, "max")).sub).toBe(sub);
    },
  },
  {
    name: "keeps an alias with one user when another one's address changes",
    async run(scope) {
      const pool = await scope.pool(emailAliasPool);
      const verified = (email: string) => ({ email, email_verified: "true" });
      await createUser(scope, pool, "eva", { attributes: verified("eva@example.com") });
      await createUser(scope, pool, "max", { attributes: verified("max@example.com") });
      await refused(update(scope, pool, verified("eva@example.com")), "AliasExistsException");
      expect((await getUser(scope, pool, "max@example.com")).username).toBe("max");
      await update(scope, pool, verified("new@example.com"));
      expect((await getUser(scope, pool, "new@example.com")).username).toBe("max");
      await refused(getUser(scope, pool, "max@example.com"), "UserNotFoundException");
    },
  },
  {
    name: "finds a user by the new address alone where the pool signs in by e-mail",
    async run(scope) {
      const pool = await scope.pool(emailPool);
      const username = await createUser(scope, pool, "old@example.com");
      await scope.client.send(
        new AdminUpdateUserAttributesCommand({
          UserPoolId: pool,
          Username: username,
          UserAttributes: pairs({ email: "new@example.com", email_verified: "true" }),
        }),
      );
      expect((await getUser(scope, pool, "new@example.com")).username).toBe(username);
      await refused(getUser(scope, pool, "old@example.com"), "UserNotFoundException");
    },
  },
];
