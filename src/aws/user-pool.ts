import { DescribeUserPoolCommand } from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "./clients.ts";
import { errorName } from "./setting.ts";

export interface UserPool {
  readonly id: string;
  readonly name: string;
  /** As Cognito estimates it. */
  readonly users: number | undefined;
}

/** The Cognito user pool with this id; undefined when there is none in the region. */
export async function readUserPool(aws: Aws, id: string): Promise<UserPool | undefined> {
  const cognito = await aws.cognito();
  try {
    const { UserPool: pool } = await cognito.send(new DescribeUserPoolCommand({ UserPoolId: id }));
    return { id, name: pool?.Name ?? "", users: pool?.EstimatedNumberOfUsers };
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  }
}
