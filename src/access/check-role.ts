import { z } from "zod";
import type { Finding } from "../doctor/finding.ts";
import { isStar } from "./check-bucket.ts";
import { judge, type JudgedPolicy } from "./evaluate.ts";
import type { AccessSite } from "./place.ts";
import type { Statement } from "./policy.ts";
import { policiesFor, type Role } from "./roles.ts";

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

interface AskedRole {
  readonly role: Role;
  /** In IAM. */
  readonly name: string;
}

/**
 * Judges the policies of a role in IAM against what the model says that it needs. Pure.
 *
 * | found                                                       | finding |
 * |-------------------------------------------------------------|---------|
 * | there is no such role; it lacks what it needs               | problem |
 * | it may do all of a service, or what it must not             | problem |
 * | it may more than it needs                                   | warning |
 * | anybody, or any repository, may take it                     | problem |
 * | a policy is not in the file, a condition is not known       | skipped |
 */
export function roleFindings({ role, name }: AskedRole, details: IamDetails, site: AccessSite): Finding[] {
  const about = { check: role, subject: name };
  const found = details.RoleDetailList.find(({ RoleName }) => RoleName === name);
  if (found === undefined)
    return [
      {
        ...about,
        status: "problem",
        message: "there is no such role",
        remedy: `mawps access policy ${role}`,
      },
    ];
  const account = found.Arn.split(":")[4] ?? "*";
  const wanted = policiesFor(role, { ...site, account }).policies;
  const attached = found.AttachedManagedPolicies.map(({ PolicyArn }) => ({
    arn: PolicyArn,
    document: details.Policies.find(({ Arn }) => Arn === PolicyArn)?.PolicyVersionList.find(
      ({ IsDefaultVersion }) => IsDefaultVersion,
    )?.Document,
  }));
  const unseen = attached.filter((policy) => policy.document === undefined);
  const live = [
    ...found.RolePolicyList.map(({ PolicyDocument }) => PolicyDocument),
    ...attached.flatMap((policy) => policy.document ?? []),
  ] as JudgedPolicy[];
  const remedy = `mawps access policy ${role} prints what it needs`;
  const findings: Finding[] = [
    ...unseen.map(({ arn }) => ({
      ...about,
      status: "skipped" as const,
      message: `${arn} is not in the file`,
    })),
    ...trustFindings(about, found.AssumeRolePolicyDocument),
  ];
  try {
    const lacks = lacking(wanted, live);
    const [needed, given] = [conditional(wanted), conditional(live)];
    // What a policy gives that was not seen is nothing to complain of.
    if (unseen.length === 0)
      findings.push(
        ...told(lacks).map((message) => ({
          ...about,
          status: "problem" as const,
          message: `lacks ${message}`,
          remedy,
        })),
      );
    if (needed + given > 0)
      findings.push({
        ...about,
        status: "skipped",
        message: `statements with conditions are not compared: it needs ${needed}, and has ${given}`,
      });
    for (const { message, isBad } of excess(live, wanted))
      findings.push({ ...about, status: isBad ? "problem" : "warning", message, remedy });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    findings.push({ ...about, status: "skipped", message: error.message });
  }
  return findings.length > 0
    ? findings
    : [{ ...about, status: "ok", message: "may what it needs, and nothing else" }];
}

interface Right {
  readonly action: string;
  readonly resource: string;
}

function lacking(
  wanted: readonly { readonly Statement: readonly Statement[] }[],
  live: readonly JudgedPolicy[],
): Right[] {
  const plain = wanted
    .flatMap(({ Statement }) => Statement)
    .filter(({ Condition }) => Condition === undefined);
  // A star in what is needed is a letter like others: it fits where all that it stands for does.
  return rightsOf([{ Statement: plain }], "Allow").filter((right) => judge(live, right) !== "allowed");
}

/** How many statements allow something under a condition. */
function conditional(policies: readonly JudgedPolicy[]): number {
  const statements = policies.flatMap(({ Statement }) => [Statement].flat());
  return statements.filter(({ Effect, Condition }) => Effect === "Allow" && Condition !== undefined).length;
}

/** What the role may beyond what is needed, each action and resource taken as it is written. */
function excess(
  live: readonly JudgedPolicy[],
  wanted: readonly JudgedPolicy[],
): { readonly message: string; readonly isBad: boolean }[] {
  const allows = live
    .flatMap(({ Statement }) => [Statement].flat())
    .filter(({ Effect }) => Effect === "Allow");
  const open = allows.filter(
    ({ NotAction, NotResource }) => NotAction !== undefined || NotResource !== undefined,
  );
  const rights = rightsOf(live, "Allow");
  const without = wanted.map(({ Statement }) => ({
    Statement: [Statement].flat().map(({ Condition: _condition, ...rest }) => rest),
  }));
  const stars = rights.filter(({ action }) => isStar(action));
  const others = rights.filter(
    (right) =>
      !isStar(right.action) && judge(live, right) === "allowed" && judge(without, right) !== "allowed",
  );
  const unfenced = rights.filter(
    (right) =>
      !isStar(right.action) &&
      judge(live, right) === "allowed" &&
      judge(without, right) === "allowed" &&
      judge(wanted, right) === "not allowed",
  );
  // Also what a pattern lets it do among other things.
  const denied = rightsOf(without, "Deny").filter((right) => judge(live, right) === "allowed");
  const forbidden = [...others.filter((right) => judge(wanted, right) === "denied"), ...denied];
  const more = others.filter((right) => !forbidden.includes(right));
  return [
    ...open.map(() => ({ message: "may all but a few things (NotAction, NotResource)", isBad: true })),
    ...told(stars).map((text) => ({ message: `may everything of it: ${text}`, isBad: true })),
    ...told(forbidden).map((text) => ({ message: `may what it must not: ${text}`, isBad: true })),
    ...told(unfenced).map((text) => ({
      message: `may without the condition that it needs: ${text}`,
      isBad: true,
    })),
    ...told(more).map((text) => ({ message: `may more than it needs: ${text}`, isBad: false })),
  ];
}

/** Each action with each resource, taken as they are written. */
function rightsOf(policies: readonly JudgedPolicy[], effect: "Allow" | "Deny"): Right[] {
  return policies
    .flatMap(({ Statement }) => [Statement].flat())
    .filter(({ Effect }) => Effect === effect)
    .flatMap(({ Action = [], Resource = [] }) =>
      [Action].flat().flatMap((action) => [Resource].flat().map((resource) => ({ action, resource }))),
    );
}

/** By resource: `s3:GetObject, s3:PutObject on arn:…`. */
function told(rights: readonly Right[]): string[] {
  const resources = [...new Set(rights.map(({ resource }) => resource))];
  return resources.map((resource) => {
    const actions = rights.filter((right) => right.resource === resource).map(({ action }) => action);
    return `${[...new Set(actions)].sort().join(", ")} on ${resource}`;
  });
}

function trustFindings(
  about: Pick<Finding, "check" | "subject">,
  { Statement }: IamDetails["RoleDetailList"][number]["AssumeRolePolicyDocument"],
): Finding[] {
  const remedy = "mawps access policy --github prints who is to take it";
  return [Statement].flat().flatMap(({ Effect, Principal, Condition = {} }): Finding[] => {
    if (Effect !== "Allow") return [];
    const principals = typeof Principal === "string" ? [Principal] : Object.values(Principal ?? {}).flat();
    const keys = Object.entries(Condition).flatMap(([, each]) => Object.entries(each));
    if (principals.includes("*") && keys.length === 0)
      return [{ ...about, status: "problem", message: "anybody may take it", remedy }];
    if (!principals.some((each) => each.includes("oidc-provider/token.actions.githubusercontent.com")))
      return [];
    const subjects = keys
      .filter(([key]) => key.toLowerCase().endsWith(":sub"))
      .flatMap(([, values]) => values);
    const isOpen =
      subjects.length === 0 || subjects.some((subject) => /^repo:[^:]*[*?]|^[^:]*[*?]/.test(subject));
    return isOpen
      ? [{ ...about, status: "problem", message: "jobs of other repositories on GitHub may take it", remedy }]
      : [];
  });
}
