import type { SchemaAttributeType } from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { onwards } from "../paging.ts";
import { errorName, isDenied, isUnsupported } from "../setting.ts";

/** What a user signs in with in place of a user name. */
export type SignInAttribute = "email" | "phone_number";

export interface UserPool {
  readonly id: string;
  readonly name: string;
  /** As Cognito estimates it. */
  readonly users: number | undefined;
  /** `LITE`, `ESSENTIALS` or `PLUS`: what an account costs. */
  readonly plan?: string | undefined;
  /** Where there are any, Cognito makes the user names itself, and an account is known by the attribute. */
  readonly signIn: readonly SignInAttribute[];
  /** Attributes that sign in beside the user name: no user name may look like one. */
  readonly aliases: readonly string[];
  /** Whether `Max` and `max` are two users. */
  readonly isCaseSensitive: boolean;
  readonly attributes: readonly PoolAttribute[];
  /** False of a server that tells of no attribute at all: it may have custom ones. */
  readonly tellsAttributes: boolean;
}

export interface PoolAttribute {
  /** Custom ones with their prefix: `custom:level`. */
  readonly name: string;
  /** What is not can be set with a new account only. */
  readonly isMutable: boolean;
  readonly isRequired: boolean;
}

/**
 * What every pool has, by OpenID Connect. Servers in AWS's place may tell of custom attributes alone.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html#cognito-user-pools-standard-attributes
 */
const standardAttributes: ReadonlyMap<string, PoolAttribute> = new Map(
  [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
  ].map((name) => [name, { name, isMutable: true, isRequired: false }]),
);

/** The Cognito user pool with this id; undefined when there is none in the region. */
export async function readUserPool(
  aws: Aws,
  id: string,
  signal?: AbortSignal,
): Promise<UserPool | undefined> {
  const [cognito, { DescribeUserPoolCommand }] = await Promise.all([aws.cognito(), import("./sdk.ts")]);
  try {
    const asked = new DescribeUserPoolCommand({ UserPoolId: id });
    const { UserPool: pool } = await cognito.send(asked, abortable(signal));
    return {
      id,
      name: pool?.Name ?? "",
      users: pool?.EstimatedNumberOfUsers,
      plan: pool?.UserPoolTier,
      signIn: pool?.UsernameAttributes ?? [],
      aliases: pool?.AliasAttributes ?? [],
      // Pools from before this setting (2020) say nothing of it and keep case.
      isCaseSensitive: pool?.UsernameConfiguration?.CaseSensitive ?? true,
      attributes: attributesOf(pool?.SchemaAttributes),
      tellsAttributes: (pool?.SchemaAttributes?.length ?? 0) > 0,
    };
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

function attributesOf(told: readonly SchemaAttributeType[] = []): PoolAttribute[] {
  const byName = new Map(standardAttributes);
  for (const { Name = "", Mutable = true, Required = false } of told)
    byName.set(Name, { name: Name, isMutable: Mutable, isRequired: Required });
  return [...byName.values()];
}

/** Makes a pool that signs in with user names and takes these custom attributes, as `custom:level`, as texts. */
export async function makeUserPool(
  aws: Aws,
  { name, custom, signal }: { name: string; custom: readonly string[]; signal?: AbortSignal },
): Promise<string> {
  const [cognito, { CreateUserPoolCommand }] = await Promise.all([aws.cognito(), import("./sdk.ts")]);
  const asked = new CreateUserPoolCommand({
    PoolName: name,
    Schema: custom.map((each) => ({
      Name: each.slice(each.indexOf("custom:") + "custom:".length),
      AttributeDataType: "String",
      Mutable: true,
      DeveloperOnlyAttribute: each.startsWith("dev:"),
    })),
  });
  const { UserPool: pool } = await cognito.send(asked, abortable(signal));
  return pool?.Id ?? "";
}

/** What a client of a pool gives to access tokens where nobody says otherwise. */
const usualTokenMinutes = 60;
/** The most that a client can give to them. */
const longestTokenMinutes = 24 * 60;
const minutesOf = { seconds: 1 / 60, minutes: 1, hours: 60, days: 24 * 60 } as const;

/**
 * How long an access token that was given out lives at most, whatever happens to its account meanwhile. Where the clients of the
 * pool may not be read: the most that Cognito allows.
 */
export async function accessTokenMinutes(aws: Aws, poolId: string, signal?: AbortSignal): Promise<number> {
  const [cognito, { DescribeUserPoolClientCommand, ListUserPoolClientsCommand }] = await Promise.all([
    aws.cognito(),
    import("./sdk.ts"),
  ]);
  const minutes = [0];
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("clients");
  try {
    do {
      const listed = new ListUserPoolClientsCommand({ UserPoolId: poolId, MaxResults: 60, NextToken: token });
      const page = await cognito.send(listed, abortable(signal));
      for (const { ClientId } of page.UserPoolClients ?? []) {
        const asked = new DescribeUserPoolClientCommand({ UserPoolId: poolId, ClientId });
        const { UserPoolClient: client } = await cognito.send(asked, abortable(signal));
        const { AccessTokenValidity: validity, TokenValidityUnits: units } = client ?? {};
        minutes.push(
          validity === undefined ? usualTokenMinutes : validity * minutesOf[units?.AccessToken ?? "hours"],
        );
      }
      token = onward(page.NextToken);
    } while (token !== undefined);
  } catch (error) {
    if (isDenied(error) || isUnsupported(error)) return longestTokenMinutes;
    throw error;
  }
  return Math.max(...minutes);
}
