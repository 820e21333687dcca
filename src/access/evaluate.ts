import type { Conditions } from "./policy.ts";

/** What somebody wants to do, as IAM judges it. */
export interface Request {
  readonly action: string;
  readonly resource: string;
  /** Condition keys, such as `dynamodb:LeadingKeys`; names count in any case. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

/** A statement as others write it, too: single values where a list could stand, and what it is not about. */
export interface Judged {
  readonly Effect: "Allow" | "Deny";
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Conditions;
}

export interface JudgedPolicy {
  readonly Statement: Judged | readonly Judged[];
}

/**
 * Whether the policies of a role let it do something: a denial beats what is allowed, and what nothing allows is denied.
 * Of IAM's language as it is used here: policies of a role, with variables; no principals, no boundaries, no policies of resources.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * @throws RangeError for a condition operator that is not known: a judgement without it would be none.
 */
export function judge(
  policies: readonly JudgedPolicy[],
  request: Request,
): "allowed" | "denied" | "not allowed" {
  const context = contextOf(request);
  const effects = new Set(
    policies
      .flatMap(({ Statement }) => [Statement].flat())
      .filter((statement) => isAbout(statement, request, context))
      .map(({ Effect }) => Effect),
  );
  if (effects.has("Deny")) return "denied";
  return effects.has("Allow") ? "allowed" : "not allowed";
}

type Context = ReadonlyMap<string, readonly string[]>;

function contextOf({ context = {} }: Request): Context {
  return new Map(Object.entries(context).map(([name, value]) => [name.toLowerCase(), [value].flat()]));
}

function isAbout(
  { Action, NotAction, Resource, NotResource, Condition = {} }: Judged,
  { action, resource }: Request,
  context: Context,
): boolean {
  const isAction = (pattern: string) => fits(pattern.toLowerCase(), action.toLowerCase(), new Map());
  const isResource = (pattern: string) => fits(pattern, resource, context);
  const isMeant = <T>(
    these: T | readonly T[] | undefined,
    not: T | readonly T[] | undefined,
    is: (one: T) => boolean,
  ) =>
    not === undefined
      ? [these ?? []].flat().some((one) => is(one as T))
      : ![not].flat().some((one) => is(one as T));
  return (
    isMeant(Action, NotAction, isAction) &&
    isMeant(Resource, NotResource, isResource) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) =>
        holds(operator, { key, values: [values].flat() }, context),
      ),
    )
  );
}

/** Whether a text fits a pattern with `*` and `?`, of which those that come out of variables are letters like others. */
export function fits(pattern: string, text: string, context: Context): boolean {
  const parts = partsOf(pattern, context);
  if (parts === undefined) return false;
  const source = parts
    .map(({ text: part, isPattern }) => {
      const literal = part.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
      return isPattern
        ? literal.replaceAll(String.raw`\*`, "[^]*").replaceAll(String.raw`\?`, "[^]")
        : literal;
    })
    .join("");
  return new RegExp(`^${source}$`, "u").test(text);
}

interface Part {
  readonly text: string;
  readonly isPattern: boolean;
}

/** A pattern with the values of its variables; undefined where one has none. */
function partsOf(pattern: string, context: Context): Part[] | undefined {
  const parts: Part[] = [];
  for (const [at, piece] of pattern.split(/\$\{([^{}]*)\}/).entries()) {
    if (at % 2 === 0) {
      parts.push({ text: piece, isPattern: true });
      continue;
    }
    const value = valueOf(piece, context);
    if (value === undefined) return undefined;
    parts.push({ text: value, isPattern: false });
  }
  return parts;
}

function valueOf(variable: string, context: Context): string | undefined {
  if (["*", "?", "$"].includes(variable)) return variable;
  const [, name = variable, fallback] = /^\s*(.*?)\s*(?:,\s*'(.*)'\s*)?$/.exec(variable) ?? [];
  const values = context.get(name.trim().toLowerCase()) ?? [];
  // Of a key with several values there is no one value to stand in the place.
  return values.length === 1 ? values[0] : values.length === 0 ? fallback : undefined;
}

interface Wanted {
  readonly key: string;
  readonly values: readonly string[];
}

type Compare = (wanted: string, actual: string, context: Context) => boolean;

const same: Compare = (wanted, actual, context) => {
  const text = partsOf(wanted, context)
    ?.map((part) => part.text)
    .join("");
  return text === actual;
};

const like: Compare = (wanted, actual, context) => fits(wanted, actual, context);

const number =
  (compare: (actual: number, wanted: number) => boolean): Compare =>
  (wanted, actual) =>
    compare(Number(actual), Number(wanted));

const comparisons: Readonly<Record<string, Compare>> = {
  StringEquals: same,
  StringEqualsIgnoreCase: (wanted, actual, context) =>
    same(wanted.toLowerCase(), actual.toLowerCase(), context),
  StringLike: like,
  ArnEquals: like,
  ArnLike: like,
  Bool: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(),
  NumericEquals: number((actual, wanted) => actual === wanted),
  NumericLessThan: number((actual, wanted) => actual < wanted),
  NumericLessThanEquals: number((actual, wanted) => actual <= wanted),
  NumericGreaterThan: number((actual, wanted) => actual > wanted),
  NumericGreaterThanEquals: number((actual, wanted) => actual >= wanted),
};

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
function holds(operator: string, { key, values }: Wanted, context: Context): boolean {
  const [, set, named = ""] = /^(?:(ForAllValues|ForAnyValue):)?(\w+)$/.exec(operator) ?? [];
  const actual = context.get(key.toLowerCase());
  if (named === "Null")
    return values.some((value) => (value.toLowerCase() === "true") === (actual === undefined));
  const isOptional = named.endsWith("IfExists");
  const plain = isOptional ? named.slice(0, -"IfExists".length) : named;
  const isNegated = /^(String|Arn|Numeric)Not/.test(plain);
  const compare = comparisons[isNegated ? plain.replace("Not", "") : plain];
  if (compare === undefined) throw new RangeError(`the condition operator ${operator} is not known`);
  if (actual === undefined) return isOptional || isNegated || set === "ForAllValues";
  const isOne = (each: string) => values.some((wanted) => compare(wanted, each, context)) !== isNegated;
  if (set === "ForAllValues") return actual.every(isOne);
  if (set === "ForAnyValue") return actual.some(isOne);
  // Without a set operator a key has one value; of several none may be passed over.
  return actual.length > 0 && actual.every(isOne);
}
