import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  CreateGroupCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "../../src/aws/clients.ts";

/** The ids (Cognito's subs) of invented people. */
export interface People {
  /** Uses the site of today: every kind of attribute that a profile has, documents of all shapes. */
  readonly lena: string;
  /** Came in 2025 and not again: the attributes and documents of the former site. */
  readonly tomas: string;
  /** Has saved personal data and settings, and nothing else. */
  readonly mira: string;
  /** Has an account, and documents of `documents-api`, but no profile. */
  readonly jonas: string;
  /** Known to an older backend alone: an item with `pk` and `sk`. */
  readonly ruth: string;
  /** An admin of the site. */
  readonly admin: string;
}

/** The address of each; `eva` has an access record and neither account nor profile. */
export const addresses = {
  lena: "lena@example.com",
  tomas: "tomas@example.com",
  mira: "mira@example.com",
  jonas: "jonas@example.com",
  ruth: "ruth@example.com",
  admin: "admin@example.com",
} satisfies Record<keyof People, string>;

export const addressWithoutAccount = "eva@example.com";

export async function makeAccounts(aws: Aws, UserPoolId: string): Promise<People> {
  const cognito = await aws.cognito();
  await cognito.send(new CreateGroupCommand({ UserPoolId, GroupName: "admin" }));
  const subs = new Map<string, string>();
  for (const [name, email] of Object.entries(addresses)) {
    const { User } = await cognito.send(
      new AdminCreateUserCommand({
        UserPoolId,
        Username: email,
        MessageAction: "SUPPRESS",
        UserAttributes: [
          { Name: "email", Value: email },
          { Name: "email_verified", Value: "true" },
          { Name: "name", Value: `${name[0]?.toUpperCase()}${name.slice(1)} Beispiel` },
        ],
      }),
    );
    const sub = User?.Attributes?.find(({ Name }) => Name === "sub")?.Value;
    if (sub === undefined) throw new Error(`the account of ${name} has no sub`);
    subs.set(name, sub);
  }
  await cognito.send(
    new AdminAddUserToGroupCommand({ UserPoolId, Username: addresses.admin, GroupName: "admin" }),
  );
  return Object.fromEntries(subs) as unknown as People;
}
