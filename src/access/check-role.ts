import { z } from "zod";
import type { Finding } from "../doctor/finding.ts";
import { isStar } from "./check-bucket.ts";
import { fits, judge, type Judged, type JudgedPolicy } from "./evaluate.ts";
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

const allPolicies =
  "aws iam get-account-authorization-details without --filter has every policy that a role has";

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
      remedy: allPolicies,
    })),
    ...bounds
      .filter(({ document: bound }) => bound === undefined)
      .map(({ arn }) => ({
        ...about,
        status: "skipped" as const,
        message: `its boundary, ${arn}, is not in the file: it may do less than its policies say`,
        remedy: allPolicies,
      })),
    ...trustFindings(about, found.AssumeRolePolicyDocument),
  ];
  try {
    const rights = { live, boundary };
    const { lacking, elsewhere } = needs(wanted, rights);
    const unlike = unlikeConditions(wanted, rights);
    // What a policy gives that was not seen is nothing to complain of.
    if (unseen.length === 0)
      findings.push(
        ...told(lacking).map((message) => ({
          ...about,
          status: "problem" as const,
          message: `lacks ${message}`,
          remedy,
        })),
      );
    findings.push(
      ...told(elsewhere).map((message) => ({
        ...about,
        status: "skipped" as const,
        message: `under another condition than the needed one: ${message}`,
      })),
    );
    if (unlike > 0)
      findings.push({
        ...about,
        status: "skipped",
        message: `${unlike} ${unlike === 1 ? "statement" : "statements"} with other conditions than the needed ones: not compared`,
      });
    const more = conditionsOf(wanted).flatMap((condition) => excess(rights, wanted, condition));
    for (const [message, isBad] of new Map(more.map((each) => [each.message, each.isBad])))
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
  return (
    judged(live, right) === "allowed" && (boundary.length === 0 || judged(boundary, right) === "allowed")
  );
}

/** A variable stands for itself, as a star in what is judged is a letter like others: it fits where all that it stands for does. */
function judged(policies: readonly JudgedPolicy[], right: Right): ReturnType<typeof judge> {
  return judge(policies, { ...right, context: Object.fromEntries(variablesIn([right.resource])) });
}

function variablesIn(texts: readonly string[]): (readonly [name: string, text: string])[] {
  return texts.flatMap((each) =>
    [...each.matchAll(/\$\{([^{},*?$]+)\}/g)].map(
      ([text, name = ""]) => [name.trim().toLowerCase(), text] as const,
    ),
  );
}

/** What is needed and not there, and what is there under other conditions alone. */
function needs(
  wanted: readonly JudgedPolicy[],
  { live, boundary }: Rights,
): { readonly lacking: Right[]; readonly elsewhere: Right[] } {
  const lacking: Right[] = [];
  const elsewhere: Right[] = [];
  for (const statement of statementsOf(wanted)) {
    const { Condition } = statement;
    const seen = { live: under(live, Condition), boundary: under(boundary, Condition) };
    const anyhow = { live: under(live, Condition, true), boundary: under(boundary, Condition, true) };
    for (const right of rightsOf([{ Statement: statement }], "Allow"))
      if (!may(anyhow, right)) lacking.push(right);
      else if (!may(seen, right)) elsewhere.push(right);
  }
  return { lacking, elsewhere };
}

/**
 * The policies as they are where a condition is met: the statements with just this one have none, those with another are left out.
 * @param isLenient what others allow counts as well.
 */
function under(
  policies: readonly JudgedPolicy[],
  condition: Judged["Condition"],
  isLenient = false,
): JudgedPolicy[] {
  const met = textOf(condition);
  return policies.map(({ Statement }) => ({
    Statement: [Statement]
      .flat()
      .filter(
        ({ Effect, Condition }) =>
          Condition === undefined || textOf(Condition) === met || (isLenient && Effect === "Allow"),
      )
      .map(plain),
  }));
}

/** The conditions under which something is needed, none among them, each once. */
function conditionsOf(wanted: readonly JudgedPolicy[]): Judged["Condition"][] {
  const allows = statementsOf(wanted).filter(({ Effect }) => Effect === "Allow");
  const known = new Map(allows.map(({ Condition }) => [textOf(Condition), Condition]));
  return [...new Map([[textOf(undefined), undefined], ...known]).values()];
}

/** How many statements allow something, or deny something that is needed, under a condition that is none of the needed ones. */
function unlikeConditions(wanted: readonly JudgedPolicy[], { live, boundary }: Rights): number {
  const nameOf = ({ Effect, Condition }: Judged) => `${Effect} ${textOf(Condition)}`;
  const known = new Set(statementsOf(wanted).map(nameOf));
  const needed = rightsOf(wanted, "Allow");
  return statementsOf([...live, ...boundary]).filter((statement) => {
    const { Effect, Condition } = statement;
    if (Condition === undefined || known.has(nameOf(statement))) return false;
    if (Effect === "Allow") return true;
    return (
      textOf(Condition) !== withoutTls &&
      needed.some((right) => judged([{ Statement: plain(statement) }], right) === "denied")
    );
  }).length;
}

function textOf(condition: Judged["Condition"]): string {
  return JSON.stringify(sorted(condition));
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

/** Mawps never asks without TLS. */
const withoutTls = textOf({ Bool: { "aws:SecureTransport": "false" } });

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
}

function statementsOf(policies: readonly JudgedPolicy[]): Judged[] {
  return policies.flatMap(({ Statement }) => [Statement].flat());
}

function plain({ Condition: _condition, ...rest }: Judged): Judged {
  return rest;
}

/** What the role may beyond what is needed where a condition is met, each action and resource taken as it is written. */
function excess(
  { live, boundary }: Rights,
  all: readonly JudgedPolicy[],
  condition: Judged["Condition"],
): { readonly message: string; readonly isBad: boolean }[] {
  const role = { live: under(live, condition), boundary: under(boundary, condition) };
  const wanted = under(all, condition);
  const isBounded = boundary.length > 0;
  const isLetThrough =
    !isBounded ||
    statementsOf(role.boundary).some(
      (each) => isOpen(each) || (each.Effect === "Allow" && [each.Action ?? []].flat().some(isStar)),
    );
  const open = isLetThrough ? statementsOf(role.live).filter(isOpen) : [];
  const [ofLive, ofBoundary] = [rightsOf(role.live, "Allow"), rightsOf(role.boundary, "Allow")];
  const both = ofLive.flatMap((one) => ofBoundary.flatMap((other) => narrower(one, other) ?? []));
  const rights = [...ofLive, ...ofBoundary.filter(({ action }) => !isStar(action)), ...both].filter(
    (right) => (isStar(right.action) && !isBounded) || may(role, right),
  );
  const without = all.map(({ Statement }) => ({
    Statement: [Statement]
      .flat()
      .filter(({ Effect, Condition }) => Effect === "Allow" || Condition === undefined)
      .map(plain),
  }));
  const stars = rights.filter(({ action }) => isStar(action));
  const others = rights.filter((right) => !isStar(right.action) && judged(without, right) !== "allowed");
  const unfenced = rights.filter(
    (right) =>
      !isStar(right.action) &&
      judged(without, right) === "allowed" &&
      judged(wanted, right) === "not allowed",
  );
  // Also what a pattern lets it do among other things.
  const denied = rightsOf(without, "Deny").filter((right) => may(role, right));
  const forbidden = [...others.filter((right) => judged(wanted, right) === "denied"), ...denied];
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

/** Whether a statement allows all but a few things. */
function isOpen({ Effect, NotAction, NotResource }: Judged): boolean {
  return Effect === "Allow" && (NotAction !== undefined || NotResource !== undefined);
}

/** What both of two rights are; undefined where neither of their actions, or of their resources, is among the other's. */
function narrower(one: Right, other: Right): Right | undefined {
  const itself = new Map(
    variablesIn([one.resource, other.resource]).map(([name, text]) => [name, [text]] as const),
  );
  const inner = (mine: string, its: string) =>
    fits(its, mine, itself) ? mine : fits(mine, its, itself) ? its : undefined;
  const action = inner(one.action.toLowerCase(), other.action.toLowerCase());
  const resource = inner(one.resource, other.resource);
  if (action === undefined || resource === undefined) return undefined;
  return { action: action === one.action.toLowerCase() ? one.action : other.action, resource };
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
