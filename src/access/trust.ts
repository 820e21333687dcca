import type { Conditions } from "./policy.ts";

/** Who may take a role: jobs of one branch of one repository, and those that run in an environment of it. */
export interface GitHubJobs {
  /** `owner/name`. */
  readonly repository: string;
  readonly branch: string;
  /** GitHub tells of a job in an environment that alone, and not its branch: the environment's own rules say from which it may come. */
  readonly environment?: string | undefined;
  readonly account: string;
}

export interface TrustPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly {
    readonly Effect: "Allow";
    readonly Principal: { readonly Federated: string };
    readonly Action: "sts:AssumeRoleWithWebIdentity";
    readonly Condition: Conditions;
  }[];
}

const issuer = "token.actions.githubusercontent.com";

/**
 * The trust policy of a role for GitHub Actions, without keys that lie anywhere. Whom the token is for and what it is about are both
 * compared as a whole: with a star in the repository anybody's would do.
 * https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
 */
export function gitHubTrust({ repository, branch, environment, account }: GitHubJobs): TrustPolicy {
  const ofBranch = `repo:${repository}:ref:refs/heads/${branch}`;
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${issuer}` },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [`${issuer}:aud`]: "sts.amazonaws.com",
            [`${issuer}:sub`]:
              environment === undefined
                ? ofBranch
                : [ofBranch, `repo:${repository}:environment:${environment}`],
          },
        },
      },
    ],
  };
}
