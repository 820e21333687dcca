import type { ManagedPolicyDetail, RoleDetail } from "@aws-sdk/client-iam";
import type { Aws } from "../clients.ts";
import { onwards } from "../paging.ts";
import { abortable } from "../s3/objects.ts";

/** The roles of an account and the managed policies, as the AWS CLI prints them: policies as JSON, not as texts of a URL. */
export interface AuthorizationDetails {
  readonly RoleDetailList: readonly unknown[];
  readonly Policies: readonly unknown[];
}

/**
 * What IAM says of an account's roles and of the managed policies, page by page. Only reads.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
 */
export async function readAuthorizationDetails(aws: Aws, signal: AbortSignal): Promise<AuthorizationDetails> {
  const [iam, { GetAccountAuthorizationDetailsCommand }] = await Promise.all([aws.iam(), import("./sdk.ts")]);
  const onward = onwards<string>("roles and policies");
  const [roles, policies]: [unknown[], unknown[]] = [[], []];
  let marker: string | undefined;
  do {
    const answer = await iam.send(
      new GetAccountAuthorizationDetailsCommand({
        Filter: ["Role", "LocalManagedPolicy", "AWSManagedPolicy"],
        ...(marker === undefined ? {} : { Marker: marker }),
      }),
      abortable(signal),
    );
    roles.push(...(answer.RoleDetailList ?? []).map(plainRole));
    policies.push(...(answer.Policies ?? []).map(plainPolicy));
    marker = onward(answer.IsTruncated === true ? answer.Marker : undefined);
  } while (marker !== undefined);
  return { RoleDetailList: roles, Policies: policies };
}

function plainRole({ AssumeRolePolicyDocument, RolePolicyList = [], ...role }: RoleDetail): unknown {
  return {
    ...role,
    AssumeRolePolicyDocument: plain(AssumeRolePolicyDocument),
    RolePolicyList: RolePolicyList.map((policy) => ({
      ...policy,
      PolicyDocument: plain(policy.PolicyDocument),
    })),
  };
}

function plainPolicy({ PolicyVersionList = [], ...policy }: ManagedPolicyDetail): unknown {
  return {
    ...policy,
    PolicyVersionList: PolicyVersionList.map((version) => ({
      ...version,
      Document: plain(version.Document),
    })),
  };
}

/** A document that is none stays what it is: whoever looks at it says so. */
function plain(document: string | undefined): unknown {
  try {
    return JSON.parse(decodeURIComponent(document ?? ""));
  } catch {
    return document;
  }
}
