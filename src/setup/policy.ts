import { type PolicyDocument, probeSid, type StoredStatement } from "../aws/s3/bucket-policy.ts";
import type { PolicyStatement } from "../model/declaration.ts";

/** The wanted statements that neither stand in the policy nor follow from another statement of it. */
export function missingStatements(
  policy: PolicyDocument,
  wanted: readonly PolicyStatement[],
): PolicyStatement[] {
  return wanted.filter((statement) => !policy.Statement.some((stored) => covers(stored, statement)));
}

/** The policy with the wanted statements in it: replaced by Sid or appended, all others untouched and in order. */
export function mergedPolicy(
  policy: PolicyDocument | undefined,
  wanted: readonly PolicyStatement[],
): PolicyDocument {
  const stored = policy ?? { Version: "2012-10-17", Statement: [] };
  const missing = policy === undefined ? wanted : missingStatements(policy, wanted);
  const replaced = new Set(missing.map(({ Sid }) => Sid));
  const kept = stored.Statement.filter(
    ({ Sid }) => typeof Sid !== "string" || (Sid !== probeSid && !replaced.has(Sid)),
  );
  return { ...stored, Statement: [...kept, ...missing] };
}

/** Whether a statement only turns away requests without TLS. */
export function isTlsOnly({ Effect, Condition }: PolicyStatement): boolean {
  return Effect === "Deny" && Condition?.["Bool"]?.["aws:SecureTransport"] === "false";
}

/**
 * Whether a stored statement does at least what the wanted one does. Conservative: whatever is not plainly the same
 * or wider (Not-elements, other conditions) counts as not covering, and ours is then added beside it.
 */
function covers(stored: StoredStatement, wanted: PolicyStatement): boolean {
  if (stored["Effect"] !== wanted.Effect || !coversPrincipal(stored["Principal"], wanted.Principal))
    return false;
  const actions = texts(stored["Action"]).map((action) => action.toLowerCase());
  const resources = texts(stored["Resource"]);
  return (
    wanted.Action.every((action) => actions.some((pattern) => matches(pattern, action.toLowerCase()))) &&
    wanted.Resource.every((resource) => resources.some((pattern) => matches(pattern, resource))) &&
    conditionText(stored["Condition"]) === conditionText(wanted.Condition)
  );
}

function coversPrincipal(stored: unknown, wanted: PolicyStatement["Principal"]): boolean {
  if (isEverybody(stored)) return true;
  if (wanted === "*" || typeof stored !== "object" || stored === null) return false;
  return texts((stored as Record<string, unknown>)["Service"]).includes(wanted.Service);
}

function isEverybody(principal: unknown): boolean {
  if (typeof principal !== "object" || principal === null) return principal === "*";
  return texts((principal as Record<string, unknown>)["AWS"]).includes("*");
}

function texts(value: unknown): string[] {
  return [value].flat().filter((entry) => typeof entry === "string");
}

/** `*` stands for any text, also for a `*` itself; `?` for one character. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}

/** Order and the list around a single value say nothing; `false` and `"false"` are one. */
function conditionText(condition: unknown): string {
  const operators = Object.entries((condition ?? {}) as Record<string, Record<string, unknown>>);
  return JSON.stringify(
    operators
      .flatMap(([operator, keys]) =>
        Object.entries(keys).map(([key, value]) => [
          operator.toLowerCase(),
          key.toLowerCase(),
          [value].flat().map(String).sort(),
        ]),
      )
      .map((entry) => JSON.stringify(entry))
      .sort(),
  );
}
