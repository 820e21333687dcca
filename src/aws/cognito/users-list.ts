import type { AttributeType, UserType } from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "../clients.ts";
import { postedPage } from "../raw/posted-page.ts";
import { abortable } from "../s3/objects.ts";
import { errorName, isAnswer } from "../setting.ts";
import type { Paced } from "./users-pace.ts";
import { onwards } from "../paging.ts";

export interface UserAttribute {
  readonly name: string;
  readonly value: string;
}

/** An account with all that Cognito tells of it. */
export interface PoolAccount {
  /** In pools with sign-in by e-mail or telephone a name that Cognito made: the sub. */
  readonly username: string;
  readonly sub: string;
  /** All but `sub`, by name. */
  readonly attributes: readonly UserAttribute[];
  /** `CONFIRMED`, `FORCE_CHANGE_PASSWORD`, `EXTERNAL_PROVIDER`, ... */
  readonly status: string;
  readonly enabled: boolean;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  /** Second factors that are on, where one account was asked for: lists do not tell. */
  readonly secondFactors: readonly string[];
}

/** The value of an attribute of an account. */
export function attributeOf(
  { attributes }: Pick<PoolAccount, "attributes">,
  name: string,
): string | undefined {
  return attributes.find((each) => each.name === name)?.value;
}

/**
 * Whether an address is surely that of the account: verified, or its user name. Whoever signs up may write any other into an account.
 * Case does not matter.
 */
export function isOwnAddress(
  account: Pick<PoolAccount, "username" | "attributes">,
  address: string,
): boolean {
  const isSame = (told: string | undefined) => told?.toLowerCase() === address.toLowerCase();
  const isVerified = attributeOf(account, "email_verified") === "true";
  return isSame(account.username) || (isVerified && isSame(attributeOf(account, "email")));
}

export interface ListOptions {
  readonly paced: Paced;
  readonly signal?: AbortSignal;
}

/** An attribute that Cognito searches for, and its value: servers in its place may give others too. */
export interface AccountFilter {
  readonly attribute: string;
  readonly value: string;
}

/** A value as a filter of Cognito has it. */
export function filterText({ attribute, value }: AccountFilter): string {
  return `${attribute} = "${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** All accounts of a pool, page by page (60, the most that Cognito gives), in Cognito's own order. */
export async function* listPoolUsers(
  aws: Aws,
  poolId: string,
  { filter, ...options }: ListOptions & { readonly filter?: AccountFilter | undefined },
): AsyncGenerator<readonly PoolAccount[]> {
  const [cognito, { ListUsersCommand }] = await Promise.all([aws.cognito(), import("./sdk.ts")]);
  const Filter = filter === undefined ? undefined : filterText(filter);
  yield* accountPages(options, async (token) => {
    const asked = new ListUsersCommand({ UserPoolId: poolId, Filter, Limit: 60, PaginationToken: token });
    const page =
      (await postedPage(cognito, asked, options.signal)) ??
      (await cognito.send(asked, abortable(options.signal)));
    return { ...page, next: page.PaginationToken };
  });
}

/** The accounts of a group, the same way. @throws ResourceNotFoundException of Cognito where there is no such group. */
export async function* listGroupUsers(
  aws: Aws,
  poolId: string,
  { group, ...options }: ListOptions & { readonly group: string },
): AsyncGenerator<readonly PoolAccount[]> {
  const [cognito, { ListUsersInGroupCommand }] = await Promise.all([aws.cognito(), import("./sdk.ts")]);
  const members = { UserPoolId: poolId, GroupName: group, Limit: 60 };
  yield* accountPages(options, async (token) => {
    const asked = new ListUsersInGroupCommand({ ...members, NextToken: token });
    const page =
      (await postedPage(cognito, asked, options.signal)) ??
      (await cognito.send(asked, abortable(options.signal)));
    return { ...page, next: page.NextToken };
  });
}

interface AccountPage {
  readonly Users?: readonly ToldUser[] | undefined;
  readonly next: string | undefined;
}

/** The next page is asked for while one is worked on. */
async function* accountPages(
  { paced, signal }: ListOptions,
  ask: (token: string | undefined) => Promise<AccountPage>,
): AsyncGenerator<readonly PoolAccount[]> {
  const onward = onwards<string>("accounts");
  let coming: Promise<AccountPage> | undefined = paced(() => ask(undefined), signal);
  while (coming !== undefined) {
    const { Users: users = [], next }: AccountPage = await coming;
    const token = onward(next);
    coming = token === undefined ? undefined : paced(() => ask(token), signal);
    // Whoever leaves here does not wait for it any more.
    coming?.catch(() => undefined);
    // A page may be empty and go on.
    if (users.length > 0) yield users.map((user) => accountOf(user));
  }
}

/** When the account last signed in, or tried to; undefined where the pool keeps no record of that. An answer that is a failure is none. */
export async function lastSignIn(
  aws: Aws,
  poolId: string,
  { username, paced, signal }: ListOptions & { readonly username: string },
): Promise<Date | "not known" | undefined> {
  const [cognito, { AdminListUserAuthEventsCommand }] = await Promise.all([
    aws.cognito(),
    import("./sdk.ts"),
  ]);
  const asked = new AdminListUserAuthEventsCommand({ UserPoolId: poolId, Username: username, MaxResults: 1 });
  try {
    const answer = await paced(() => cognito.send(asked, abortable(signal)), signal);
    return answer.AuthEvents?.[0]?.CreationDate;
  } catch (error) {
    if (errorName(error) === "UserPoolAddOnNotEnabledException") return undefined;
    if (isAnswer(error)) return "not known";
    throw error;
  }
}

/** The account with this user name or alias; undefined when there is none. */
export async function readPoolAccount(
  aws: Aws,
  poolId: string,
  { username, paced, signal }: ListOptions & { readonly username: string },
): Promise<PoolAccount | undefined> {
  const [cognito, { AdminGetUserCommand }] = await Promise.all([aws.cognito(), import("./sdk.ts")]);
  try {
    const answer = await paced(
      () =>
        cognito.send(new AdminGetUserCommand({ UserPoolId: poolId, Username: username }), abortable(signal)),
      signal,
    );
    return accountOf({ ...answer, Attributes: answer.UserAttributes }, answer.UserMFASettingList);
  } catch (error) {
    if (errorName(error) === "UserNotFoundException") return undefined;
    throw error;
  }
}

/** An account as the SDK tells it, or Cognito itself: times are then in seconds. */
type ToldUser = Omit<UserType, "UserCreateDate" | "UserLastModifiedDate"> & {
  readonly UserCreateDate?: Date | number | undefined;
  readonly UserLastModifiedDate?: Date | number | undefined;
};

function accountOf(user: ToldUser, secondFactors: readonly string[] = []): PoolAccount {
  const attributes = attributesOf(user.Attributes);
  return {
    username: user.Username ?? "",
    sub: attributes.find(({ name }) => name === "sub")?.value ?? "",
    attributes: attributes.filter(({ name }) => name !== "sub"),
    status: user.UserStatus ?? "UNKNOWN",
    enabled: user.Enabled ?? true,
    createdAt: dateOf(user.UserCreateDate),
    modifiedAt: dateOf(user.UserLastModifiedDate),
    secondFactors,
  };
}

function dateOf(time: Date | number = 0): Date {
  return typeof time === "number" ? new Date(Math.round(time * 1000)) : time;
}

/** In one order, whichever order Cognito gave them in: the same account is then the same line in every backup. */
function attributesOf(attributes: readonly AttributeType[] = []): UserAttribute[] {
  return attributes
    .map(({ Name, Value }) => ({ name: Name ?? "", value: Value ?? "" }))
    .toSorted((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));
}
