import { z } from "zod";
import type { Finding } from "../doctor/finding.ts";
import { isStar } from "./check-bucket.ts";
import { judge, type Judged, type JudgedPolicy } from "./evaluate.ts";
import type { AccessSite } from "./place.ts";
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
 * | its policy or boundary is not in the file                   | skipped |
 * | a condition is not known, or another than the needed one    | skipped |
 *
 * What a boundary does not let it do it may not, whatever its policies say.
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
  const named = (arn: string) => ({
    arn,
    document: details.Policies.find(({ Arn }) => Arn === arn)?.PolicyVersionList.find(
      ({ IsDefaultVersion }) => IsDefaultVersion,
    )?.Document,
  });
  const attached = found.AttachedManagedPolicies.map(({ PolicyArn }) => named(PolicyArn));
  const bounds = [found.PermissionsBoundary?.PermissionsBoundaryArn ?? []].flat().map(named);
  const unseen = attached.filter((policy) => policy.document === undefined);
  const live = [
    ...found.RolePolicyList.map(({ PolicyDocument }) => PolicyDocument),
    ...attached.flatMap((policy) => policy.document ?? []),
  ] as JudgedPolicy[];
  const boundary = bounds.flatMap(({ document: bound }) => bound ?? []) as JudgedPolicy[];
  const remedy = `mawps access policy ${role} prints what it needs`;
  const findings: Finding[] = [
    ...unseen.map(({ arn }) => ({
      ...about,
      status: "skipped" as const,
      message: `${arn} is not in the file`,
    })),
    ...bounds
      .filter(({ document: bound }) => bound === undefined)
      .map(({ arn }) => ({
        ...about,
        status: "skipped" as const,
        message: `its boundary, ${arn}, is not in the file: it may do less than its policies say`,
      })),
    ...trustFindings(about, found.AssumeRolePolicyDocument),
  ];
  try {
    const rights = { live, boundary };
    const lacks = lacking(wanted, rights);
    const unlike = unlikeConditions(wanted, rights);
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
    if (unlike > 0)
      findings.push({
        ...about,
        status: "skipped",
        message: `${unlike} ${unlike === 1 ? "statement" : "statements"} with other conditions than the needed ones: not compared`,
      });
    for (const { message, isBad } of excess(rights, wanted))
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

interface Rights {
  readonly live: readonly JudgedPolicy[];
  /** The one boundary that is known, if there is one. */
  readonly boundary: readonly JudgedPolicy[];
}

/** Whether a role may do something: its policies and its boundary both let it. */
function may({ live, boundary }: Rights, right: Right): boolean {
  return judge(live, right) === "allowed" && (boundary.length === 0 || judge(boundary, right) === "allowed");
}

/** A star in what is needed is a letter like others: it fits where all that it stands for does. */
function lacking(wanted: readonly JudgedPolicy[], { live, boundary }: Rights): Right[] {
  return statementsOf(wanted).flatMap((statement) => {
    const seen = { live: under(live, statement.Condition), boundary: under(boundary, statement.Condition) };
    return rightsOf([{ Statement: plain(statement) }], "Allow").filter((right) => !may(seen, right));
  });
}

/** The policies as they are where a condition is met: the statements with just this one have none, those with another are as they were. */
function under(policies: readonly JudgedPolicy[], condition: Judged["Condition"]): JudgedPolicy[] {
  const met = JSON.stringify(sorted(condition));
  return policies.map(({ Statement }) => ({
    Statement: [Statement]
      .flat()
      .map((each) => (JSON.stringify(sorted(each.Condition)) === met ? plain(each) : each)),
  }));
}

/** How many statements allow something under a condition that is none of the needed ones. */
function unlikeConditions(wanted: readonly JudgedPolicy[], { live, boundary }: Rights): number {
  const known = new Set(statementsOf(wanted).map(({ Condition }) => JSON.stringify(sorted(Condition))));
  return statementsOf([...live, ...boundary]).filter(
    ({ Effect, Condition }) =>
      Effect === "Allow" && Condition !== undefined && !known.has(JSON.stringify(sorted(Condition))),
  ).length;
}

/** Of what order and single values say nothing about. */
function sorted(condition: Judged["Condition"]): unknown {
  return Object.entries(condition ?? {})
    .map(([operator, keys]) => [operator, Object.entries(keys).map(sortedKey).toSorted(byText)])
    .toSorted(byText);
}

function sortedKey([key, values]: readonly [string, string | readonly string[]]): unknown {
  return [key.toLowerCase(), [values].flat().toSorted(byText)];
}

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

function statementsOf(policies: readonly JudgedPolicy[]): Judged[] {
  return policies.flatMap(({ Statement }) => [Statement].flat());
}

function plain({ Condition: _condition, ...rest }: Judged): Judged {
  return rest;
}

/** What the role may beyond what is needed, each action and resource taken as it is written. */
function excess(
  role: Rights,
  wanted: readonly JudgedPolicy[],
): { readonly message: string; readonly isBad: boolean }[] {
  const allows = statementsOf(role.live).filter(({ Effect }) => Effect === "Allow");
  const open = allows.filter(
    ({ NotAction, NotResource }) => NotAction !== undefined || NotResource !== undefined,
  );
  // What a boundary names is what is left of a star in a policy.
  const rights = [...rightsOf(role.live, "Allow"), ...rightsOf(role.boundary, "Allow")].filter((right) =>
    isStar(right.action) && role.boundary.length === 0 ? true : may(role, right),
  );
  const without = wanted.map(({ Statement }) => ({ Statement: [Statement].flat().map(plain) }));
  const stars = rights.filter(({ action }) => isStar(action));
  const others = rights.filter((right) => !isStar(right.action) && judge(without, right) !== "allowed");
  const unfenced = rights.filter(
    (right) =>
      !isStar(right.action) && judge(without, right) === "allowed" && judge(wanted, right) === "not allowed",
  );
  // Also what a pattern lets it do among other things.
  const denied = rightsOf(without, "Deny").filter((right) => may(role, right));
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
  return statementsOf(policies)
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
