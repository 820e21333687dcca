import {
  AdminCreateUserCommand,
  CreateUserPoolCommand,
  DeleteUserPoolCommand,
  DescribeUserPoolCommand,
  ListUserPoolsCommand,
  type ListUserPoolsCommandOutput,
  ListUsersCommand,
  UpdateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import { type Check, createUser, emailPool, type Scope } from "./check.ts";

async function describe({ client }: Scope, UserPoolId: string) {
  const { UserPool: pool } = await client.send(new DescribeUserPoolCommand({ UserPoolId }));
  return pool ?? {};
}

export const poolChecks: readonly Check[] = [
  {
    name: "makes a pool with an id of region and nine signs, and tells its name, times and ARN",
    async run(scope) {
      const id = await scope.pool({ PoolName: "conformance of pools" });
      expect(id).toMatch(new RegExp(`^${scope.region}_[0-9a-zA-Z]{9}$`));
      const pool = await describe(scope, id);
      expect(pool).toMatchObject({ Id: id, Name: "conformance of pools" });
      expect(pool.Arn).toMatch(new RegExp(`^arn:aws:cognito-idp:${scope.region}:\\d{12}:userpool/${id}$`));
      expect(pool.CreationDate).toBeInstanceOf(Date);
      expect(pool.LastModifiedDate).toBeInstanceOf(Date);
    },
  },
  {
    name: "has the standard attributes of OpenID Connect, with sub required and fixed",
    async run(scope) {
      const { SchemaAttributes = [] } = await describe(scope, await scope.pool());
      const names = SchemaAttributes.map(({ Name }) => Name);
      expect(names).toEqual(
        expect.arrayContaining(["sub", "name", "email", "email_verified", "phone_number"]),
      );
      expect(SchemaAttributes.find(({ Name }) => Name === "sub")).toMatchObject({
        AttributeDataType: "String",
        Mutable: false,
        Required: true,
      });
      expect(SchemaAttributes.find(({ Name }) => Name === "email_verified")).toMatchObject({
        AttributeDataType: "Boolean",
        Mutable: true,
        Required: false,
      });
    },
  },
  {
    name: "puts a prefix before the names of custom attributes",
    async run(scope) {
      const id = await scope.pool({
        Schema: [
          { Name: "level", AttributeDataType: "Number", Mutable: true },
          { Name: "source", AttributeDataType: "String", Mutable: false },
        ],
      });
      const { SchemaAttributes = [] } = await describe(scope, id);
      expect(SchemaAttributes.find(({ Name }) => Name === "custom:level")).toMatchObject({
        AttributeDataType: "Number",
        Mutable: true,
        Required: false,
      });
      expect(SchemaAttributes.find(({ Name }) => Name === "custom:source")).toMatchObject({ Mutable: false });
    },
  },
  {
    name: "makes a standard attribute required where the schema says so",
    async run(scope) {
      const id = await scope.pool({ Schema: [{ Name: "family_name", Required: true }] });
      const { SchemaAttributes = [] } = await describe(scope, id);
      expect(SchemaAttributes.find(({ Name }) => Name === "family_name")?.Required).toBe(true);
      expect(SchemaAttributes.filter(({ Name }) => Name === "family_name")).toHaveLength(1);
    },
  },
  {
    name: "tells what signs in, and whether case counts",
    async run(scope) {
      const byEmail = await describe(scope, await scope.pool(emailPool));
      expect(byEmail.UsernameAttributes).toEqual(["email"]);
      expect(byEmail.AliasAttributes).toBeUndefined();
      expect(byEmail.UsernameConfiguration?.CaseSensitive).toBe(false);
      const plain = await describe(scope, await scope.pool());
      expect(plain.UsernameAttributes).toBeUndefined();
      expect(plain.UsernameConfiguration?.CaseSensitive ?? true).toBe(true);
    },
  },
  {
    name: "refuses a pool with aliases and sign-in attributes at once",
    async run({ client }) {
      const input = {
        PoolName: "conformance",
        UsernameAttributes: ["email" as const],
        AliasAttributes: ["email" as const],
      };
      await refused(client.send(new CreateUserPoolCommand(input)), "InvalidParameterException");
    },
  },
  {
    name: "refuses a pool's name with other signs",
    async run({ client }) {
      await refused(
        client.send(new CreateUserPoolCommand({ PoolName: "a/b" })),
        "InvalidParameterException",
        /poolName/,
      );
    },
  },
  {
    name: "demands of passwords what the policy says, and by default all of it",
    async run(scope) {
      const standard = await describe(scope, await scope.pool());
      expect(standard.Policies?.PasswordPolicy).toMatchObject({
        MinimumLength: 8,
        RequireUppercase: true,
        RequireLowercase: true,
        RequireNumbers: true,
        RequireSymbols: true,
      });
      const policy = { MinimumLength: 12, RequireNumbers: true };
      const own = await describe(scope, await scope.pool({ Policies: { PasswordPolicy: policy } }));
      expect(own.Policies?.PasswordPolicy).toMatchObject({ MinimumLength: 12, RequireNumbers: true });
      expect(own.Policies?.PasswordPolicy?.RequireSymbols ?? false).toBe(false);
    },
  },
  {
    name: "lists all pools with a page after another",
    async run(scope) {
      const made = [await scope.pool(), await scope.pool(), await scope.pool()];
      const listed: string[] = [];
      let token: string | undefined;
      do {
        const page: ListUserPoolsCommandOutput = await scope.client.send(
          new ListUserPoolsCommand({ MaxResults: 2, NextToken: token }),
        );
        expect(page.UserPools?.length).toBeLessThanOrEqual(2);
        listed.push(...(page.UserPools ?? []).map(({ Id }) => Id ?? ""));
        token = page.NextToken;
      } while (token !== undefined);
      expect(listed).toEqual(expect.arrayContaining(made));
      expect(new Set(listed).size).toBe(listed.length);
    },
  },
  {
    name: "refuses to list more than 60 pools at once",
    async run({ client }) {
      await refused(
        client.send(new ListUserPoolsCommand({ MaxResults: 61 })),
        "InvalidParameterException",
        /less than or equal to 60/,
      );
    },
  },
  {
    name: "changes a pool's settings and keeps its users",
    async run(scope) {
      const id = await scope.pool();
      await createUser(scope, id, "max");
      await scope.client.send(
        new UpdateUserPoolCommand({
          UserPoolId: id,
          UserPoolTags: { site: "mawps" },
          MfaConfiguration: "OFF",
        }),
      );
      const pool = await describe(scope, id);
      expect(pool.UserPoolTags).toEqual({ site: "mawps" });
      expect(pool.EstimatedNumberOfUsers).toBe(1);
    },
  },
  {
    name: "does not delete a protected pool until the protection is taken off",
    async run(scope) {
      const id = await scope.pool({ DeletionProtection: "ACTIVE" });
      await refused(
        scope.client.send(new DeleteUserPoolCommand({ UserPoolId: id })),
        "InvalidParameterException",
      );
      expect((await describe(scope, id)).DeletionProtection).toBe("ACTIVE");
      await scope.client.send(new UpdateUserPoolCommand({ UserPoolId: id, DeletionProtection: "INACTIVE" }));
      await scope.client.send(new DeleteUserPoolCommand({ UserPoolId: id }));
      await refused(describe(scope, id), "ResourceNotFoundException");
    },
  },
  {
    name: "names the pool that is not there, in every call",
    async run({ client, region }) {
      const UserPoolId = `${region}_Nowhere00`;
      const message = new RegExp(`User pool ${UserPoolId} does not exist`);
      for (const call of [
        () => client.send(new DescribeUserPoolCommand({ UserPoolId })),
        () => client.send(new DeleteUserPoolCommand({ UserPoolId })),
        () => client.send(new ListUsersCommand({ UserPoolId })),
        () => client.send(new AdminCreateUserCommand({ UserPoolId, Username: "max" })),
      ])
        await refused(call(), "ResourceNotFoundException", message);
    },
  },
  {
    name: "loses a pool's users and groups with the pool",
    async run(scope) {
      const id = await scope.pool();
      await createUser(scope, id, "max");
      await scope.client.send(new DeleteUserPoolCommand({ UserPoolId: id }));
      await refused(scope.client.send(new ListUsersCommand({ UserPoolId: id })), "ResourceNotFoundException");
    },
  },
];
