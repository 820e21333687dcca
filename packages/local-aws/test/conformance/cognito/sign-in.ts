import {
  AdminConfirmSignUpCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminForgetDeviceCommand,
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminListDevicesCommand,
  AdminListUserAuthEventsCommand,
  AdminResetUserPasswordCommand,
  AdminRespondToAuthChallengeCommand,
  AdminSetUserMFAPreferenceCommand,
  type AdminSetUserMFAPreferenceCommandInput,
  AdminSetUserPasswordCommand,
  CreateUserPoolClientCommand,
  type CreateUserPoolClientCommandInput,
  DeleteUserPoolClientCommand,
  DescribeUserPoolClientCommand,
  ListUserPoolClientsCommand,
  SignUpCommand,
  UpdateUserPoolClientCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { createHmac } from "node:crypto";
import { expect } from "vitest";
import { refused } from "../dynamodb/check.ts";
import { type Check, createUser, emailPool, getUser, type Scope, uuid } from "./check.ts";

const good = "Correct-1-Horse";

async function makeClient(
  { client }: Scope,
  UserPoolId: string,
  shape: Partial<CreateUserPoolClientCommandInput> = {},
): Promise<{ ClientId: string; secret: string | undefined }> {
  const ExplicitAuthFlows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH" as const, "ALLOW_REFRESH_TOKEN_AUTH" as const];
  const made = await client.send(
    new CreateUserPoolClientCommand({ UserPoolId, ClientName: "site", ExplicitAuthFlows, ...shape }),
  );
  return { ClientId: made.UserPoolClient?.ClientId ?? "", secret: made.UserPoolClient?.ClientSecret };
}

function signIn(
  { client }: Scope,
  at: { readonly UserPoolId: string; readonly ClientId: string },
  parameters: Record<string, string>,
) {
  return client.send(
    new AdminInitiateAuthCommand({ ...at, AuthFlow: "ADMIN_USER_PASSWORD_AUTH", AuthParameters: parameters }),
  );
}

async function withPassword(
  scope: Scope,
  UserPoolId: string,
  Username: string,
  isPermanent = true,
): Promise<void> {
  await scope.client.send(
    new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: good, Permanent: isPermanent }),
  );
}

/** What a token says. */
function claims(token = ""): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;
}

export const signInChecks: readonly Check[] = [
  {
    name: "keeps an application's client as it was made and changed, and lists it, until it is deleted",
    async run(scope) {
      const UserPoolId = await scope.pool();
      const { ClientId } = await makeClient(scope, UserPoolId, { PreventUserExistenceErrors: "ENABLED" });
      const describe = async () =>
        (await scope.client.send(new DescribeUserPoolClientCommand({ UserPoolId, ClientId }))).UserPoolClient;
      expect(await describe()).toMatchObject({
        UserPoolId,
        ClientId,
        ClientName: "site",
        PreventUserExistenceErrors: "ENABLED",
        ExplicitAuthFlows: expect.arrayContaining([
          "ALLOW_ADMIN_USER_PASSWORD_AUTH",
          "ALLOW_REFRESH_TOKEN_AUTH",
        ]),
      });
      await scope.client.send(new UpdateUserPoolClientCommand({ UserPoolId, ClientId, ClientName: "shop" }));
      expect((await describe())?.ClientName).toBe("shop");
      const listed = await scope.client.send(new ListUserPoolClientsCommand({ UserPoolId, MaxResults: 60 }));
      expect(listed.UserPoolClients).toEqual([{ ClientId, ClientName: "shop", UserPoolId }]);
      await scope.client.send(new DeleteUserPoolClientCommand({ UserPoolId, ClientId }));
      await refused(describe(), "ResourceNotFoundException");
    },
  },
  {
    name: "signs in by the right password only, by any spelling of the address",
    async run(scope) {
      const UserPoolId = await scope.pool({ ...emailPool, UsernameConfiguration: { CaseSensitive: false } });
      const { ClientId } = await makeClient(scope, UserPoolId);
      await createUser(scope, UserPoolId, "max@example.com");
      await withPassword(scope, UserPoolId, "max@example.com");
      const user = await scope.client.send(
        new AdminGetUserCommand({ UserPoolId, Username: "max@example.com" }),
      );
      const sub = user.UserAttributes?.find(({ Name }) => Name === "sub")?.Value;
      expect(sub).toMatch(uuid);
      const at = { UserPoolId, ClientId };
      const { AuthenticationResult: result } = await signIn(scope, at, {
        USERNAME: "Max@Example.COM",
        PASSWORD: good,
      });
      expect(result).toMatchObject({
        ExpiresIn: 3600,
        TokenType: "Bearer",
        RefreshToken: expect.any(String),
      });
      expect(claims(result?.AccessToken)).toMatchObject({
        sub,
        token_use: "access",
        client_id: ClientId,
      });
      expect(claims(result?.IdToken)).toMatchObject({
        email: "max@example.com",
        token_use: "id",
        aud: ClientId,
      });
      for (const PASSWORD of ["Correct-1-horse", `${good} `, "x"])
        await refused(
          signIn(scope, at, { USERNAME: "max@example.com", PASSWORD }),
          "NotAuthorizedException",
          /Incorrect username or password/,
        );
    },
  },
  {
    name: "signs nobody in who is disabled, has to reset the password, or is not there",
    async run(scope) {
      const UserPoolId = await scope.pool();
      const { ClientId } = await makeClient(scope, UserPoolId, { PreventUserExistenceErrors: "ENABLED" });
      const open = await makeClient(scope, UserPoolId, { PreventUserExistenceErrors: "LEGACY" });
      const at = { UserPoolId, ClientId };
      const parameters = { USERNAME: "max", PASSWORD: good };
      await createUser(scope, UserPoolId, "max", {
        attributes: { email: "max@example.com", email_verified: "true" },
      });
      await withPassword(scope, UserPoolId, "max");
      await scope.client.send(new AdminDisableUserCommand({ UserPoolId, Username: "max" }));
      await refused(signIn(scope, at, parameters), "NotAuthorizedException", /User is disabled/);
      await scope.client.send(new AdminEnableUserCommand({ UserPoolId, Username: "max" }));
      expect((await signIn(scope, at, parameters)).AuthenticationResult).toBeDefined();
      await scope.client.send(new AdminResetUserPasswordCommand({ UserPoolId, Username: "max" }));
      await refused(signIn(scope, at, parameters), "PasswordResetRequiredException");
      const nobody = { USERNAME: "nobody", PASSWORD: good };
      await refused(signIn(scope, at, nobody), "NotAuthorizedException", /Incorrect username or password/);
      await refused(signIn(scope, { UserPoolId, ClientId: open.ClientId }, nobody), "UserNotFoundException");
    },
  },
  {
    name: "asks for another password after a temporary one, once",
    async run(scope) {
      const UserPoolId = await scope.pool();
      const { ClientId } = await makeClient(scope, UserPoolId);
      const at = { UserPoolId, ClientId };
      await createUser(scope, UserPoolId, "max");
      await withPassword(scope, UserPoolId, "max", false);
      const asked = await signIn(scope, at, { USERNAME: "max", PASSWORD: good });
      expect([asked.ChallengeName, asked.AuthenticationResult]).toEqual(["NEW_PASSWORD_REQUIRED", undefined]);
      const answer = (Session: string | undefined, NEW_PASSWORD: string) =>
        scope.client.send(
          new AdminRespondToAuthChallengeCommand({
            ...at,
            ChallengeName: "NEW_PASSWORD_REQUIRED",
            Session,
            ChallengeResponses: { USERNAME: "max", NEW_PASSWORD },
          }),
        );
      await refused(answer("x".repeat(30), "Another-1-Horse"), "NotAuthorizedException");
      await refused(answer(asked.Session, "short"), "InvalidPasswordException");
      expect((await getUser(scope, UserPoolId, "max")).status).toBe("FORCE_CHANGE_PASSWORD");
      expect(
        (await answer(asked.Session, "Another-1-Horse")).AuthenticationResult?.AccessToken,
      ).toBeDefined();
      expect((await getUser(scope, UserPoolId, "max")).status).toBe("CONFIRMED");
      await refused(answer(asked.Session, "Third-1-Horse"), "NotAuthorizedException");
      await refused(signIn(scope, at, { USERNAME: "max", PASSWORD: good }), "NotAuthorizedException");
      expect(
        (await signIn(scope, at, { USERNAME: "max", PASSWORD: "Another-1-Horse" })).AuthenticationResult,
      ).toBeDefined();
    },
  },
  {
    name: "signs in only by flows that the client allows, and only clients that know their secret",
    async run(scope) {
      const UserPoolId = await scope.pool();
      await createUser(scope, UserPoolId, "max");
      await withPassword(scope, UserPoolId, "max");
      const closed = await makeClient(scope, UserPoolId, { ExplicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH"] });
      const parameters = { USERNAME: "max", PASSWORD: good };
      await refused(
        signIn(scope, { UserPoolId, ClientId: closed.ClientId }, parameters),
        "InvalidParameterException",
        /Auth flow not enabled for this client/,
      );
      await refused(
        signIn(scope, { UserPoolId, ClientId: "nobodysclient" }, parameters),
        "ResourceNotFoundException",
      );
      const { ClientId, secret = "" } = await makeClient(scope, UserPoolId, { GenerateSecret: true });
      const at = { UserPoolId, ClientId };
      await refused(signIn(scope, at, parameters), "NotAuthorizedException", /SECRET_HASH was not received/);
      const hashOf = (key: string) => createHmac("sha256", key).update(`max${ClientId}`).digest("base64");
      await refused(
        signIn(scope, at, { ...parameters, SECRET_HASH: hashOf("wrong") }),
        "NotAuthorizedException",
        /Unable to verify secret hash/,
      );
      const { AuthenticationResult } = await signIn(scope, at, {
        ...parameters,
        SECRET_HASH: hashOf(secret),
      });
      expect(AuthenticationResult).toBeDefined();
    },
  },
  {
    name: "confirms who signed up, once, and nobody else",
    async run(scope) {
      const UserPoolId = await scope.pool();
      const { ClientId } = await makeClient(scope, UserPoolId);
      const at = { UserPoolId, ClientId };
      const signedUp = await scope.client.send(
        new SignUpCommand({
          ClientId,
          Username: "max",
          Password: good,
          UserAttributes: [{ Name: "email", Value: "max@example.com" }],
        }),
      );
      expect(signedUp.UserConfirmed).toBe(false);
      expect((await getUser(scope, UserPoolId, "max")).status).toBe("UNCONFIRMED");
      await refused(signIn(scope, at, { USERNAME: "max", PASSWORD: good }), "UserNotConfirmedException");
      const confirm = (Username: string) =>
        scope.client.send(new AdminConfirmSignUpCommand({ UserPoolId, Username }));
      await confirm("max");
      expect((await getUser(scope, UserPoolId, "max")).status).toBe("CONFIRMED");
      expect(
        (await signIn(scope, at, { USERNAME: "max", PASSWORD: good })).AuthenticationResult,
      ).toBeDefined();
      await refused(confirm("max"), "NotAuthorizedException", /Current status is CONFIRMED/);
      await refused(confirm("nobody"), "UserNotFoundException");
      await refused(
        scope.client.send(new SignUpCommand({ ClientId, Username: "max", Password: good })),
        "UsernameExistsException",
      );
    },
  },
  {
    name: "keeps which second factors a user has, and refuses those that cannot reach them",
    async run(scope) {
      const UserPoolId = await scope.pool({ MfaConfiguration: "OPTIONAL" });
      await createUser(scope, UserPoolId, "max", { attributes: { phone_number: "+4915100000000" } });
      const prefer = (settings: Partial<AdminSetUserMFAPreferenceCommandInput>) =>
        scope.client.send(new AdminSetUserMFAPreferenceCommand({ UserPoolId, Username: "max", ...settings }));
      const factors = async () => {
        const user = await scope.client.send(new AdminGetUserCommand({ UserPoolId, Username: "max" }));
        return [user.UserMFASettingList ?? [], user.PreferredMfaSetting];
      };
      expect(await factors()).toEqual([[], undefined]);
      await refused(
        prefer({ SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true } }),
        "InvalidParameterException",
      );
      await prefer({ SMSMfaSettings: { Enabled: true, PreferredMfa: true } });
      expect(await factors()).toEqual([["SMS_MFA"], "SMS_MFA"]);
      await prefer({ SMSMfaSettings: { Enabled: false } });
      expect(await factors()).toEqual([[], undefined]);
    },
  },
  {
    name: "knows no device of a user, and says whose it does not know",
    async run(scope) {
      const UserPoolId = await scope.pool();
      await createUser(scope, UserPoolId, "max");
      const devices = (Username: string) =>
        scope.client.send(new AdminListDevicesCommand({ UserPoolId, Username, Limit: 10 }));
      expect((await devices("max")).Devices).toEqual([]);
      await refused(devices("nobody"), "UserNotFoundException");
      const DeviceKey = `${scope.region}_00000000-0000-4000-8000-000000000000`;
      await refused(
        scope.client.send(new AdminForgetDeviceCommand({ UserPoolId, Username: "max", DeviceKey })),
        "ResourceNotFoundException",
      );
    },
  },
  {
    name: "tells a user's sign-ins where the pool keeps them, the newest first",
    async run(scope) {
      const plain = await scope.pool();
      await createUser(scope, plain, "max");
      const events = (UserPoolId: string) =>
        scope.client.send(new AdminListUserAuthEventsCommand({ UserPoolId, Username: "max" }));
      await refused(events(plain), "UserPoolAddOnNotEnabledException");
      const UserPoolId = await scope.pool({ UserPoolAddOns: { AdvancedSecurityMode: "AUDIT" } });
      const { ClientId } = await makeClient(scope, UserPoolId);
      await createUser(scope, UserPoolId, "max");
      await withPassword(scope, UserPoolId, "max");
      await signIn(scope, { UserPoolId, ClientId }, { USERNAME: "max", PASSWORD: good });
      await refused(
        signIn(scope, { UserPoolId, ClientId }, { USERNAME: "max", PASSWORD: "x" }),
        "NotAuthorizedException",
      );
      const told = (await events(UserPoolId)).AuthEvents ?? [];
      expect(told.map((event) => `${event.EventType} ${event.EventResponse}`).toSorted()).toEqual([
        "SignIn Fail",
        "SignIn Pass",
      ]);
      await scope.client.send(new AdminDeleteUserCommand({ UserPoolId, Username: "max" }));
      await createUser(scope, UserPoolId, "max");
      expect((await events(UserPoolId)).AuthEvents ?? []).toEqual([]);
    },
  },
];
