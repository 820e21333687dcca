import {
  AdminCreateUserCommand,
  AdminResetUserPasswordCommand,
  AdminSetUserPasswordCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import { type Check, createUser, getUser, listNames, type Scope } from "./check.ts";

const good = "Correct-1-Horse";

function setPassword(
  { client }: Scope,
  UserPoolId: string,
  password: { Password: string; Permanent?: boolean },
) {
  return client.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: "max", ...password }));
}

export const passwordChecks: readonly Check[] = [
  {
    name: "confirms a user by a permanent password, and asks for another after a temporary one",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      await setPassword(scope, pool, { Password: good, Permanent: true });
      expect((await getUser(scope, pool, "max")).status).toBe("CONFIRMED");
      await setPassword(scope, pool, { Password: good });
      expect((await getUser(scope, pool, "max")).status).toBe("FORCE_CHANGE_PASSWORD");
    },
  },
  {
    name: "refuses passwords that the policy forbids, and keeps the user's state",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max");
      for (const Password of ["Sh0rt-", "all-lower-1", "ALL-UPPER-1", "No-Numbers", "NoSymbols1"])
        await refused(
          setPassword(scope, pool, { Password, Permanent: true }),
          "InvalidPasswordException",
          /password policy/,
        );
      expect((await getUser(scope, pool, "max")).status).toBe("FORCE_CHANGE_PASSWORD");
    },
  },
  {
    name: "makes no user with a temporary password that the policy forbids",
    async run(scope) {
      const pool = await scope.pool();
      await refused(
        createUser(scope, pool, "max", { TemporaryPassword: "short" }),
        "InvalidPasswordException",
      );
      expect(await listNames(scope, pool)).toEqual([]);
      await createUser(scope, pool, "max", { TemporaryPassword: good });
      expect(await listNames(scope, pool)).toEqual(["max"]);
    },
  },
  {
    name: "demands no more than the pool's own policy",
    async run(scope) {
      const pool = await scope.pool({ Policies: { PasswordPolicy: { MinimumLength: 6 } } });
      await createUser(scope, pool, "max", { TemporaryPassword: "simple" });
      await refused(setPassword(scope, pool, { Password: "short" }), "InvalidPasswordException");
      await setPassword(scope, pool, { Password: "longer", Permanent: true });
      expect((await getUser(scope, pool, "max")).status).toBe("CONFIRMED");
    },
  },
  {
    name: "invites once more while the password was never changed, and not afterwards",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", { attributes: { email: "max@example.com" } });
      const before = await getUser(scope, pool, "max");
      const again = new AdminCreateUserCommand({
        UserPoolId: pool,
        Username: "max",
        MessageAction: "RESEND",
      });
      const { User: answered } = await scope.client.send(again);
      expect(answered?.Username).toBe("max");
      expect(await getUser(scope, pool, "max")).toMatchObject({
        sub: before.sub,
        attributes: before.attributes,
        status: "FORCE_CHANGE_PASSWORD",
      });
      await setPassword(scope, pool, { Password: good, Permanent: true });
      await refused(scope.client.send(again), "UnsupportedUserStateException");
      expect((await getUser(scope, pool, "max")).status).toBe("CONFIRMED");
    },
  },
  {
    name: "resets the password of a confirmed user who can be reached",
    async run(scope) {
      const pool = await scope.pool();
      await createUser(scope, pool, "max", {
        attributes: { email: "max@example.com", email_verified: "true" },
      });
      await setPassword(scope, pool, { Password: good, Permanent: true });
      await scope.client.send(new AdminResetUserPasswordCommand({ UserPoolId: pool, Username: "max" }));
      expect((await getUser(scope, pool, "max")).status).toBe("RESET_REQUIRED");
    },
  },
  {
    name: "resets no password of a user without a verified address, or who never had one",
    async run(scope) {
      const pool = await scope.pool();
      const reset = new AdminResetUserPasswordCommand({ UserPoolId: pool, Username: "max" });
      await createUser(scope, pool, "max", { attributes: { email: "max@example.com" } });
      await refused(scope.client.send(reset), "NotAuthorizedException");
      await setPassword(scope, pool, { Password: good, Permanent: true });
      await refused(scope.client.send(reset), "InvalidParameterException");
      expect((await getUser(scope, pool, "max")).status).toBe("CONFIRMED");
    },
  },
];
