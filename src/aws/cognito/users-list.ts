import type { AttributeType, UserType } from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName } from "../setting.ts";
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
}

export interface ListOptions {
  readonly paced: Paced;
  readonly signal?: AbortSignal;
}

/** All accounts of a pool, page by page (60, the most that Cognito gives), in Cognito's own order. */
export async function* listPoolUsers(
  aws: Aws,
  poolId: string,
  { paced, signal }: ListOptions,
): AsyncGenerator<readonly PoolAccount[]> {
  const [cognito, { ListUsersCommand }] = await Promise.all([aws.cognito(), import("./sdk.ts")]);
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("accounts");
  do {
    const asked = new ListUsersCommand({ UserPoolId: poolId, Limit: 60, PaginationToken: token });
    const page = await paced(() => cognito.send(asked, abortable(signal)), signal);
    // A page may be empty and go on.
    if (page.Users !== undefined && page.Users.length > 0) yield page.Users.map(accountOf);
    token = onward(page.PaginationToken);
  } while (token !== undefined);
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
    return accountOf({ ...answer, Attributes: answer.UserAttributes });
  } catch (error) {
    if (errorName(error) === "UserNotFoundException") return undefined;
    throw error;
  }
}

function accountOf(user: UserType): PoolAccount {
  const attributes = attributesOf(user.Attributes);
  return {
    username: user.Username ?? "",
    sub: attributes.find(({ name }) => name === "sub")?.value ?? "",
    attributes: attributes.filter(({ name }) => name !== "sub"),
    status: user.UserStatus ?? "UNKNOWN",
    enabled: user.Enabled ?? true,
    createdAt: user.UserCreateDate ?? new Date(0),
    modifiedAt: user.UserLastModifiedDate ?? new Date(0),
  };
}

/** In one order, whichever order Cognito gave them in: the same account is then the same line in every backup. */
function attributesOf(attributes: readonly AttributeType[] = []): UserAttribute[] {
  return attributes
    .map(({ Name, Value }) => ({ name: Name ?? "", value: Value ?? "" }))
    .toSorted((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));
}
