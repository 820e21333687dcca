import { parseJson } from "../json.ts";
import { S3Fault } from "./fault.ts";
import { conditionsHold, narrowsSender } from "./policy-conditions.ts";
import { matches } from "./wildcards.ts";

/*
 * Bucket policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */

export interface Statement {
  readonly effect: "Allow" | "Deny";
  /** "*" or the named principals; `not` for NotPrincipal. */
  readonly principals: Scope;
  readonly actions: Scope;
  readonly resources: Scope;
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

interface Scope {
  readonly not: boolean;
  readonly patterns: readonly string[];
}

/** One thing somebody wants to do. */
export interface Question {
  /** `s3:GetObject` */
  readonly action: string;
  /** `arn:aws:s3:::bucket/key` */
  readonly resource: string;
  /** The sender's account, undefined for anonymous ones. */
  readonly account: string | undefined;
  /** Condition keys in lower case. A key that is missing has no value. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

/** Explicit denial wins over any permission; "silent" leaves the decision to whatever else there is. */
export function judgePolicy(
  statements: readonly Statement[],
  question: Question,
): "allow" | "deny" | "silent" {
  let verdict: "allow" | "silent" = "silent";
  for (const statement of statements) {
    if (!applies(statement, question)) continue;
    if (statement.effect === "Deny") return "deny";
    verdict = "allow";
  }
  return verdict;
}

/** Whether a policy lets in people that it does not name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html */
export function isPublic(statements: readonly Statement[]): boolean {
  return statements.some(
    ({ effect, principals, conditions }) =>
      effect === "Allow" &&
      (principals.not || principals.patterns.includes("*")) &&
      !narrowsSender(conditions),
  );
}

/** Reads a policy's text and checks it for this bucket. Throws MalformedPolicy. */
export function parsePolicy(text: string, bucket: string): Statement[] {
  let document: unknown;
  try {
    document = parseJson(text);
  } catch {
    throw malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  if (!isObject(document)) throw malformed("Policies must be valid JSON and the first byte must be '{'");
  const { Version: version, Statement: statement } = document;
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") {
    throw malformed("The policy must contain a valid version string");
  }
  if (statement === undefined) throw malformed("Missing required field Statement");
  const list: unknown[] = Array.isArray(statement) ? statement : [statement];
  if (list.length === 0) throw malformed("Could not parse the policy: Statement is empty!");
  return list.map((one) => parseStatement(one, bucket));
}

function parseStatement(source: unknown, bucket: string): Statement {
  if (!isObject(source)) throw malformed("Statement is not an object");
  const { Effect: effect, Condition: condition = {} } = source;
  if (effect !== "Allow" && effect !== "Deny") {
    throw malformed(`Invalid effect: ${typeof effect === "string" ? effect : ""}`);
  }
  const actions = parseScope(source, "Action");
  const resources = parseScope(source, "Resource");
  for (const action of actions.patterns) {
    if (action !== "*" && !/^s3:[A-Za-z*?]+$/.test(action)) throw malformed("Policy has invalid action");
  }
  const root = `arn:aws:s3:::${bucket}`;
  for (const resource of resources.patterns) {
    const own = resource === root || resource.startsWith(`${root}/`) || resource === "*";
    if (!own && !wildcardReaches(resource, root)) throw malformed("Policy has invalid resource");
  }
  return {
    effect,
    principals: parsePrincipals(source),
    actions,
    resources,
    conditions: parseConditions(condition),
  };
}

/** A pattern such as `arn:aws:s3:::*` also covers the bucket. */
function wildcardReaches(resource: string, root: string): boolean {
  return /[*?]/.test(resource) && (matches(resource, root) || matches(resource, `${root}/x`));
}

function parseScope(source: Record<string, unknown>, name: string): Scope {
  const plain = source[name];
  const negated = source[`Not${name}`];
  if ((plain === undefined) === (negated === undefined)) {
    throw malformed(`Missing required field ${name}`);
  }
  return { not: plain === undefined, patterns: strings(plain ?? negated, name) };
}

function parsePrincipals(source: Record<string, unknown>): Scope {
  const plain = source["Principal"];
  const negated = source["NotPrincipal"];
  const principal = plain ?? negated;
  if (principal === undefined) throw malformed("Missing required field Principal");
  const not = plain === undefined;
  if (principal === "*") return { not, patterns: ["*"] };
  if (!isObject(principal)) throw malformed("Invalid principal in policy");
  const patterns = Object.entries(principal).flatMap(([kind, value]) => {
    if (!["AWS", "Service", "Federated", "CanonicalUser"].includes(kind)) {
      throw malformed("Invalid principal in policy");
    }
    return strings(value, "Principal");
  });
  return { not, patterns };
}

function parseConditions(source: unknown): Statement["conditions"] {
  if (!isObject(source)) throw malformed("Invalid Condition type");
  const conditions: Record<string, Record<string, string[]>> = {};
  for (const [operator, keys] of Object.entries(source)) {
    if (!isObject(keys)) throw malformed("Invalid Condition type");
    conditions[operator] = {};
    for (const [key, values] of Object.entries(keys)) {
      conditions[operator][key.toLowerCase()] = strings(values, "Condition");
    }
  }
  return conditions;
}

function applies(statement: Statement, question: Question): boolean {
  const { principals, actions, resources, conditions } = statement;
  const isPrincipal = principals.patterns.some(
    (pattern) =>
      pattern === "*" ||
      (question.account !== undefined &&
        (pattern === question.account ||
          pattern === `arn:aws:iam::${question.account}:root` ||
          pattern.startsWith(`arn:aws:iam::${question.account}:user/`))),
  );
  const isAction = actions.patterns.some((pattern) =>
    matches(pattern.toLowerCase(), question.action.toLowerCase()),
  );
  const isResource = resources.patterns.some((pattern) => matches(pattern, question.resource));
  return (
    isPrincipal !== principals.not &&
    isAction !== actions.not &&
    isResource !== resources.not &&
    conditionsHold(conditions, question.context)
  );
}

function strings(value: unknown, field: string): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one) => {
    if (typeof one === "string") return one;
    if (field === "Condition" && (typeof one === "boolean" || typeof one === "number")) return String(one);
    throw malformed(`Invalid ${field} in policy`);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(message: string): S3Fault {
  return new S3Fault("MalformedPolicy", { message });
}
