import { BlockList, isIP } from "node:net";
import { matches } from "./wildcards.ts";

type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/**
 * Whether all conditions hold: every key of every operator, by any of its values. A key the request does not have
 * meets only negated operators, `Null` and those ending in `IfExists`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function conditionsHold(
  conditions: Conditions,
  context: Readonly<Record<string, readonly string[]>>,
): boolean {
  return Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, context[key], wanted)),
  );
}

/** Keys by which a policy for everybody still names who is meant, when their values are no wildcards. */
const narrowingKeys = new Set([
  "aws:sourcearn",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:sourceaccount",
  "aws:sourceowner",
  "aws:sourceip",
  "aws:userid",
  "aws:principalarn",
  "aws:principalaccount",
  "aws:principalorgid",
  "aws:principalorgpaths",
  "s3:dataaccesspointaccount",
  "s3:dataaccesspointarn",
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
]);

/** Whether the conditions limit who may come, so that the statement is not public. */
export function narrowsSender(conditions: Conditions): boolean {
  return Object.entries(conditions).some(([operator, keys]) => {
    if (/not|ifexists|null/i.test(operator)) return false;
    return Object.entries(keys).some(
      ([key, values]) =>
        narrowingKeys.has(key) &&
        values.every((value) => !/[*?]/.test(value) && value !== "0.0.0.0/0" && value !== "::/0"),
    );
  });
}

function holds(operator: string, actual: readonly string[] | undefined, wanted: readonly string[]): boolean {
  const name = operator.toLowerCase();
  const present = actual !== undefined && actual.length > 0;
  if (name === "null") return wanted.some((value) => (value === "true") !== present);
  const all = name.startsWith("forallvalues:");
  const base = name.replace(/^for(allvalues|anyvalue):/, "").replace(/ifexists$/, "");
  const compare = comparisons[base.replace(/not/, "")];
  // An operator nobody knows must not open anything nor hide a denial: it never holds.
  if (compare === undefined) return false;
  const negated = base.includes("not");
  if (!present) return all || negated || name.endsWith("ifexists");
  const meets = (value: string) => wanted.some((one) => compare(value, one)) !== negated;
  return all ? actual.every(meets) : actual.some(meets);
}

type Comparison = (actual: string, wanted: string) => boolean;

/** Without their "Not". */
const comparisons: Record<string, Comparison | undefined> = {
  stringequals: (actual, wanted) => actual === wanted,
  stringequalsignorecase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  stringlike: (actual, wanted) => matches(wanted, actual),
  arnequals: (actual, wanted) => matches(wanted, actual),
  arnlike: (actual, wanted) => matches(wanted, actual),
  bool: (actual, wanted) => actual === wanted.toLowerCase(),
  numericequals: (actual, wanted) => Number(actual) === Number(wanted),
  numericlessthan: (actual, wanted) => Number(actual) < Number(wanted),
  numericlessthanequals: (actual, wanted) => Number(actual) <= Number(wanted),
  numericgreaterthan: (actual, wanted) => Number(actual) > Number(wanted),
  numericgreaterthanequals: (actual, wanted) => Number(actual) >= Number(wanted),
  dateequals: (actual, wanted) => Date.parse(actual) === Date.parse(wanted),
  datelessthan: (actual, wanted) => Date.parse(actual) < Date.parse(wanted),
  datelessthanequals: (actual, wanted) => Date.parse(actual) <= Date.parse(wanted),
  dategreaterthan: (actual, wanted) => Date.parse(actual) > Date.parse(wanted),
  dategreaterthanequals: (actual, wanted) => Date.parse(actual) >= Date.parse(wanted),
  ipaddress: (actual, wanted) => addressWithin(actual, wanted),
};

function addressWithin(address: string, range: string): boolean {
  const [network = "", bits] = range.split("/");
  const family = isIP(network);
  if (family === 0 || isIP(address) !== family) return false;
  const kind = family === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
  list.addSubnet(network, prefix, kind);
  return list.check(address, kind);
}
