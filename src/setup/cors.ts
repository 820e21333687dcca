import type { StoredCorsRule } from "../aws/s3/bucket-settings.ts";
import type { CorsRule } from "../model/declaration.ts";

/** What every browser asks to send with a file; what else a rule lets through is the site's own choice. */
const neededHeader = "content-type";

/**
 * The wanted rules that no stored ones do the work of. Where a wanted rule is for any origin, because nobody has
 * configured the site's, the origins of the stored ones are the site's own choice.
 */
export function missingCors(stored: readonly StoredCorsRule[], wanted: readonly CorsRule[]): CorsRule[] {
  return wanted.filter(
    ({ allowedOrigins, allowedMethods }) =>
      !allowedOrigins.every((origin) =>
        allowedMethods.every((method) => stored.some((rule) => allows(rule, { origin, method }))),
      ),
  );
}

/** All rules with the missing ones behind them; one of ours that says less is replaced. */
export function mergedCors(
  stored: readonly StoredCorsRule[],
  missing: readonly CorsRule[],
): readonly StoredCorsRule[] {
  const replaced = new Set<string | undefined>(missing.map(({ id }) => id));
  return [...stored.filter(({ ID }) => ID === undefined || !replaced.has(ID)), ...missing.map(storedRule)];
}

/** What a rule lets browsers do, in words. */
export function corsText({ allowedMethods, allowedOrigins }: CorsRule): string {
  const from = allowedOrigins.includes("*") ? "pages" : allowedOrigins.join(", ");
  return `${allowedMethods.join(", ")} by browsers from ${from}`;
}

function allows(rule: StoredCorsRule, { origin, method }: { origin: string; method: string }): boolean {
  return (
    (rule.AllowedMethods ?? []).includes(method) &&
    (rule.AllowedHeaders ?? []).some((pattern) => matches(pattern.toLowerCase(), neededHeader)) &&
    (origin === "*" || (rule.AllowedOrigins ?? []).some((pattern) => matches(pattern, origin)))
  );
}

/** S3's patterns have one `*` at most. */
function matches(pattern: string, text: string): boolean {
  const [start = "", end] = pattern.split("*");
  if (end === undefined) return pattern === text;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}

function storedRule(rule: CorsRule): StoredCorsRule {
  return {
    ID: rule.id,
    AllowedOrigins: [...rule.allowedOrigins],
    AllowedMethods: [...rule.allowedMethods],
    AllowedHeaders: [...rule.allowedHeaders],
    ExposeHeaders: [...rule.exposedHeaders],
    MaxAgeSeconds: rule.maxAgeSeconds,
  };
}
