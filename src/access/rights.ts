import { isStar } from "./check-bucket.ts";
import { fits, judge, type Judged, type JudgedPolicy } from "./evaluate.ts";

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
export function needs(
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
export function conditionsOf(wanted: readonly JudgedPolicy[]): Judged["Condition"][] {
  const allows = statementsOf(wanted).filter(({ Effect }) => Effect === "Allow");
  const known = new Map(allows.map(({ Condition }) => [textOf(Condition), Condition]));
  return [...new Map([[textOf(undefined), undefined], ...known]).values()];
}

/** How many statements allow something, or deny something that is needed, under a condition that is none of the needed ones. */
export function unlikeConditions(wanted: readonly JudgedPolicy[], { live, boundary }: Rights): number {
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
export function excess(
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
export function told(rights: readonly Right[]): string[] {
  const resources = [...new Set(rights.map(({ resource }) => resource))];
  return resources.map((resource) => {
    const actions = rights.filter((right) => right.resource === resource).map(({ action }) => action);
    return `${[...new Set(actions)].sort().join(", ")} on ${resource}`;
  });
}
