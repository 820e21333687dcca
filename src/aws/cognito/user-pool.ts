import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName } from "../setting.ts";

/** What a user signs in with in place of a user name. */
export type SignInAttribute = "email" | "phone_number";

export interface UserPool {
  readonly id: string;
  readonly name: string;
  /** As Cognito estimates it. */
  readonly users: number | undefined;
  /** Where there are any, Cognito makes the user names itself, and an account is known by the attribute. */
  readonly signIn: readonly SignInAttribute[];
  /** Whether `Max` and `max` are two users. */
  readonly isCaseSensitive: boolean;
  readonly attributes: readonly PoolAttribute[];
}

export interface PoolAttribute {
  /** Custom ones with their prefix: `custom:level`. */
  readonly name: string;
  /** What is not can be set with a new account only. */
  readonly isMutable: boolean;
  readonly isRequired: boolean;
}

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
      signIn: pool?.UsernameAttributes ?? [],
      // Pools from before this setting (2020) say nothing of it and keep case.
      isCaseSensitive: pool?.UsernameConfiguration?.CaseSensitive ?? true,
      attributes: (pool?.SchemaAttributes ?? []).map(({ Name, Mutable, Required }) => ({
        name: Name ?? "",
        isMutable: Mutable ?? true,
        isRequired: Required ?? false,
      })),
    };
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  }
}
