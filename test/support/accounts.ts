import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminSetUserMFAPreferenceCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  CreateGroupCommand,
  CreateUserPoolClientCommand,
  SignUpCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "../../src/aws/clients.ts";

const password = "Correct-horse-1";

/**
 * A pool with an account in each state:
 *
 *     max@example.com    confirmed, in the group admin, with a second factor
 *     eva@example.com    invited, has not signed in yet
 *     nora@example.com   signed up, not confirmed
 *     ida@example.com    disabled
 */
export async function putAccounts(aws: Aws, UserPoolId: string): Promise<void> {
  const cognito = await aws.cognito();
  const asked = { UserPoolId, ClientName: "website" };
  const { UserPoolClient } = await cognito.send(new CreateUserPoolClientCommand(asked));
  await cognito.send(new CreateGroupCommand({ UserPoolId, GroupName: "admin" }));
  for (const Username of ["max@example.com", "eva@example.com", "ida@example.com"]) {
    const UserAttributes = [
      { Name: "email", Value: Username },
      { Name: "email_verified", Value: "true" },
    ];
    const account = { UserPoolId, Username, UserAttributes };
    await cognito.send(new AdminCreateUserCommand({ ...account, MessageAction: "SUPPRESS" }));
  }
  const max = { UserPoolId, Username: "max@example.com" };
  await cognito.send(new AdminSetUserPasswordCommand({ ...max, Password: password, Permanent: true }));
  await cognito.send(new AdminAddUserToGroupCommand({ ...max, GroupName: "admin" }));
  const phone = [
    { Name: "phone_number", Value: "+49301234567" },
    { Name: "phone_number_verified", Value: "true" },
  ];
  await cognito.send(new AdminUpdateUserAttributesCommand({ ...max, UserAttributes: phone }));
  const on = { Enabled: true, PreferredMfa: true };
  await cognito.send(new AdminSetUserMFAPreferenceCommand({ ...max, SMSMfaSettings: on }));
  await cognito.send(new AdminDisableUserCommand({ UserPoolId, Username: "ida@example.com" }));
  const signUp = { ClientId: UserPoolClient?.ClientId ?? "", Username: "nora@example.com" };
  await cognito.send(new SignUpCommand({ ...signUp, Password: password }));
}
