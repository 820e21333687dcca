import * as z from "zod";
import type { Aws } from "../aws/clients.ts";
import { readAuthorizationDetails } from "../aws/iam/authorization-details.ts";
import { CliError, exitCodes } from "../errors.ts";
import { readNamedFile } from "../text-file.ts";

const oneOrMore = z.union([z.string(), z.array(z.string())]);
/** IAM takes `true` and `3600` for texts in conditions. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(["Allow", "Deny"]),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  NotResource: oneOrMore.optional(),
  Principal: z.union([z.string(), z.record(z.string(), oneOrMore)]).optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.union([text, z.array(text)]))).optional(),
});
const document = z.object({ Statement: z.union([statement, z.array(statement)]) });

/** What `aws iam get-account-authorization-details` prints, as far as it is looked at. */
export const iamDetails = z.object({
  IsTruncated: z.boolean().default(false),
  RoleDetailList: z.array(
    z.object({
      RoleName: z.string(),
      Arn: z.string(),
      AssumeRolePolicyDocument: document,
      RolePolicyList: z.array(z.object({ PolicyDocument: document })).default([]),
      AttachedManagedPolicies: z.array(z.object({ PolicyArn: z.string() })).default([]),
      PermissionsBoundary: z.object({ PermissionsBoundaryArn: z.string() }).optional(),
    }),
  ),
  Policies: z
    .array(
      z.object({
        Arn: z.string(),
        PolicyVersionList: z.array(z.object({ IsDefaultVersion: z.boolean(), Document: document })),
      }),
    )
    .default([]),
});

export type IamDetails = z.infer<typeof iamDetails>;

/**
 * As IAM says it now.
 * @throws CliError where that is not understood.
 */
export async function readIamDetails(aws: Aws, signal: AbortSignal): Promise<IamDetails> {
  const details = iamDetails.safeParse(await readAuthorizationDetails(aws, signal));
  if (details.success) return details.data;
  const [issue] = details.error.issues;
  throw new CliError(`what IAM says of this account is not understood: ${issue?.path.join(".")}`, {
    hint: "aws iam get-account-authorization-details > iam.json, without what is not asked for; then --iam iam.json",
    cause: details.error,
  });
}

const mostBytes = 256 * 1024 * 1024;

/**
 * As the AWS CLI has printed it into a file.
 * @throws CliError (usage) where there is none, or it is something else, or a part of it.
 */
export async function iamDetailsIn(path: string): Promise<IamDetails> {
  const hint = "aws iam get-account-authorization-details > iam.json makes one";
  const what = "what IAM says of an account";
  const wrong = (cause?: unknown) =>
    new CliError(`${path} is not ${what}`, { exitCode: exitCodes.usage, hint, cause });
  const bytes = await readNamedFile(path, { what, hint, mostBytes, takesPipes: true });
  if (bytes === undefined) throw new CliError(`there is no ${path}`, { exitCode: exitCodes.usage, hint });
  let read: unknown;
  try {
    read = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw wrong(error);
  }
  const details = iamDetails.safeParse(read);
  if (!details.success) throw wrong(details.error);
  if (details.data.IsTruncated)
    throw new CliError(`${path} is one page of several`, {
      exitCode: exitCodes.usage,
      hint: "without --max-items and --no-paginate the AWS CLI gives all of them",
    });
  return details.data;
}
