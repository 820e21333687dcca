import type { AttributeType } from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName } from "../setting.ts";
import { onwards } from "../paging.ts";
import { filterText } from "./users-list.ts";

/** An account of a Cognito user pool. */
export interface PoolUser {
  readonly username: string;
  /** What the site's items and keys call `userId`. */
  readonly sub: string;
  readonly email: string | undefined;
}

/** The account with this user name, or with this alias where the pool has aliases; undefined when there is none. */
export async function findPoolUser(
  aws: Aws,
  poolId: string,
  { username, signal }: { username: string; signal?: AbortSignal },
): Promise<PoolUser | undefined> {
  const [cognito, { AdminGetUserCommand }] = await Promise.all([aws.cognito(), sdk()]);
  try {
    const answer = await cognito.send(
      new AdminGetUserCommand({ UserPoolId: poolId, Username: username }),
      abortable(signal),
    );
    return poolUser(answer.Username, answer.UserAttributes);
  } catch (error) {
    if (errorName(error) === "UserNotFoundException") return undefined;
    throw error;
  }
}

/**
 * All accounts with exactly this attribute. Cognito does not keep e-mail addresses apart by itself: there can be several.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-manage-user-accounts.html#cognito-user-pools-searching-for-users-using-listusers-api
 */
export async function findPoolUsers(
  aws: Aws,
  poolId: string,
  { attribute, value, signal }: { attribute: "sub" | "email"; value: string; signal?: AbortSignal },
): Promise<PoolUser[]> {
  const [cognito, { ListUsersCommand }] = await Promise.all([aws.cognito(), sdk()]);
  const found: PoolUser[] = [];
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("accounts");
  do {
    const page = await cognito.send(
      new ListUsersCommand({
        UserPoolId: poolId,
        Filter: filterText({ attribute, value }),
        PaginationToken: token,
      }),
      abortable(signal),
    );
    found.push(...(page.Users ?? []).map(({ Username, Attributes }) => poolUser(Username, Attributes)));
    token = onward(page.PaginationToken);
  } while (token !== undefined);
  return found;
}

/** Loaded when it is needed: most installations have no pool configured, and all want a quick start. */
function sdk() {
  return import("./sdk.ts");
}

function poolUser(username: string | undefined, attributes: readonly AttributeType[] | undefined): PoolUser {
  const value = (name: string) => attributes?.find(({ Name }) => Name === name)?.Value;
  return { username: username ?? "", sub: value("sub") ?? "", email: value("email") };
}
