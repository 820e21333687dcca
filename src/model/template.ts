/**
 * The templates in which a model writes keys: literals and `{field}`.
 *
 * - Of objects, `users/{userId}/uploads/{fileId}.tmp`: a field is never empty and holds no `/`; `{path+}`, last, is all that
 *   follows. `users/` alone, with the slash at the end, is the folder itself.
 * - Of attributes, `TIMESTAMP#{at}#{operationId}`: a field holds whatever is not the literal behind it.
 *
 * Within a segment each field but the last ends where the literal behind it first stands; the last takes what is left. So a
 * text is read in one way, in one pass, and `build` refuses the values that would not be read back.
 */
export interface Template {
  readonly text: string;
  readonly kind: "object" | "attribute";
  readonly segments: readonly Segment[];
  /** Names of the fields, in their order. */
  readonly fields: readonly string[];
}

type Segment = { readonly rest: string } | Pattern;

/** `literals[0] {fields[0]} literals[1] …`: one literal more than fields, the inner ones not empty. */
interface Pattern {
  readonly literals: readonly string[];
  readonly fields: readonly string[];
}

export type Fields = Readonly<Record<string, string>>;

const mostCharacters = 1024;
const mostFields = 16;
const fieldName = /^[A-Za-z_]\w{0,63}$/;

/**
 * Reads a template.
 * @throws RangeError that says what is wrong with it.
 */
export function parseTemplate(text: string, kind: Template["kind"]): Template {
  if (text === "") throw new RangeError("is empty");
  if (text.length > mostCharacters) throw new RangeError(`has more than ${mostCharacters} characters`);
  const parts = kind === "object" ? text.split("/") : [text];
  const segments = parts.map((part, at) => segmentOf(part, kind === "object" && at === parts.length - 1));
  const fields = segments.flatMap((segment) => ("rest" in segment ? [segment.rest] : segment.fields));
  if (fields.length > mostFields) throw new RangeError(`has more than ${mostFields} fields`);
  const twice = fields.find((name, at) => fields.indexOf(name) !== at);
  if (twice !== undefined) throw new RangeError(`has the field {${twice}} twice`);
  return { text, kind, segments, fields };
}

function segmentOf(text: string, isLast: boolean): Segment {
  const pieces = text.split(/\{([^{}]*)\}/);
  const literals = pieces.filter((_, at) => at % 2 === 0);
  const fields = pieces.filter((_, at) => at % 2 === 1);
  const brace = literals.find((literal) => /[{}]/.test(literal));
  if (brace !== undefined) throw new RangeError(`has a brace that is no field in "${brace}"`);
  if (literals.slice(1, -1).includes("")) throw new RangeError("has two fields with nothing between them");
  const [only = ""] = fields;
  if (only.endsWith("+")) {
    if (!isLast || text !== `{${only}}`) throw new RangeError(`{${only}} is not alone in the last segment`);
    return { rest: checkedName(only.slice(0, -1)) };
  }
  return { literals, fields: fields.map(checkedName) };
}

function checkedName(name: string): string {
  if (!fieldName.test(name)) {
    throw new RangeError(
      `has a field {${name}}, which is no name (letters, digits, _; {name+} for the rest)`,
    );
  }
  return name;
}

/** The fields of a text; undefined where it is of another form. */
export function fieldsOf(template: Template, text: string): Fields | undefined {
  const parts = template.kind === "object" ? text.split("/") : [text];
  const found: [string, string][] = [];
  for (const [at, segment] of template.segments.entries()) {
    if ("rest" in segment) {
      const rest = parts.slice(at).join("/");
      return rest === "" ? undefined : Object.fromEntries([...found, [segment.rest, rest]]);
    }
    const part = parts[at];
    if (part === undefined || !takes(segment, part, found)) return undefined;
  }
  return parts.length === template.segments.length ? Object.fromEntries(found) : undefined;
}

/** Whether a text has the form of a pattern; the values of its fields are added to `found`. */
function takes({ literals, fields }: Pattern, text: string, found?: [string, string][]): boolean {
  const first = literals[0] ?? "";
  if (fields.length === 0) return text === first;
  const end = literals[fields.length] ?? "";
  if (!text.startsWith(first) || !text.endsWith(end)) return false;
  const stop = text.length - end.length;
  let from = first.length;
  for (const [at, name] of fields.entries()) {
    const isLast = at === fields.length - 1;
    // A field is never empty, so that what ends it stands one character on at the earliest.
    const to = isLast ? stop : text.indexOf(literals[at + 1] ?? "", from + 1);
    if (to <= from || to > stop) return false;
    found?.push([name, text.slice(from, to)]);
    from = isLast ? to : to + (literals[at + 1] ?? "").length;
  }
  return true;
}

/**
 * The text with these values in the place of the fields.
 * @throws RangeError where a value is missing, or would not be read back as it is.
 */
export function build(template: Template, values: Fields): string {
  const valueOf = (name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined || value === "") throw new RangeError(`${template.text}: no value for {${name}}`);
    return value;
  };
  const text = template.segments
    .map((segment) =>
      "rest" in segment
        ? valueOf(segment.rest)
        : segment.literals.map((literal, at) => literal + built(segment.fields[at], valueOf)).join(""),
    )
    .join("/");
  const back = fieldsOf(template, text);
  const wrong = template.fields.find((name) => back === undefined || back[name] !== values[name]);
  if (wrong !== undefined) {
    throw new RangeError(
      `${template.text}: a value holds what ends its field, and would be read as another (${wrong})`,
    );
  }
  return text;
}

function built(name: string | undefined, valueOf: (name: string) => string): string {
  return name === undefined ? "" : valueOf(name);
}

/** The text before the first field: what a listing can begin with. */
export function literalStart(template: Template): string {
  const brace = template.text.indexOf("{");
  return brace === -1 ? template.text : template.text.slice(0, brace);
}

/** How much a template says: literals before patterns before plain fields before the rest, segment by segment. */
export function rankOf({ segments }: Template): string {
  return segments.map(segmentRank).join("");
}

function segmentRank(segment: Segment): string {
  if ("rest" in segment) return "3";
  if (segment.fields.length === 0) return "0";
  return isPlain(segment) ? "2" : "1";
}

function isPlain({ literals, fields }: Pattern): boolean {
  return fields.length === 1 && literals.every((literal) => literal === "");
}

/** Finds which template a key is of. `value` is what was given with the template. */
export interface Classifier<T> {
  find(key: string): { readonly value: T; readonly fields: Fields } | undefined;
  /** The same without its fields, for counting. */
  valueOf(key: string): T | undefined;
}

interface Branch<T> {
  readonly literals: Map<string, Branch<T>>;
  readonly patterns: { readonly segment: Pattern; readonly text: string; readonly branch: Branch<T> }[];
  plain: Branch<T> | undefined;
  rest: Leaf<T> | undefined;
  leaf: Leaf<T> | undefined;
}

interface Leaf<T> {
  readonly template: Template;
  readonly value: T;
}

/** Two templates of one bucket that cannot be told apart. */
export class Ambiguous extends Error {
  override readonly name = "Ambiguous";
  readonly one: string;
  readonly other: string;

  constructor(one: string, other: string) {
    super(`${one} and ${other} can build the same key`);
    this.one = one;
    this.other = other;
  }
}

/**
 * Prepares the templates of one bucket as a tree by segments. In each segment a literal beats a pattern (`{id}.tmp`), which beats
 * a field, which beats the rest; what is once taken is not given back: of `users/teams/{teamId}/…` and `users/{userId}/…`
 * the first has all keys below `users/teams/`, so that nobody called `teams` owns them.
 * @throws Ambiguous for two that can build the same key.
 */
export function classifier<T>(
  templates: readonly { readonly template: Template; readonly value: T }[],
): Classifier<T> {
  const root = newBranch<T>();
  for (const { template, value } of templates) add(root, { template, value });
  const leafOf = (key: string) => {
    let branch = root;
    let from = 0;
    let rest: Leaf<T> | undefined;
    for (;;) {
      rest = from < key.length ? (branch.rest ?? rest) : rest;
      const slash = key.indexOf("/", from);
      const part = slash === -1 ? key.slice(from) : key.slice(from, slash);
      const next = branchFor(branch, part);
      if (next === undefined) return rest;
      branch = next;
      if (slash === -1) return branch.leaf ?? rest;
      from = slash + 1;
    }
  };
  return {
    find(key) {
      const leaf = leafOf(key);
      const fields = leaf === undefined ? undefined : fieldsOf(leaf.template, key);
      return leaf === undefined || fields === undefined ? undefined : { value: leaf.value, fields };
    },
    valueOf: (key) => leafOf(key)?.value,
  };
}

function newBranch<T>(): Branch<T> {
  return { literals: new Map(), patterns: [], plain: undefined, rest: undefined, leaf: undefined };
}

function branchFor<T>(branch: Branch<T>, part: string): Branch<T> | undefined {
  const literal = branch.literals.get(part);
  if (literal !== undefined) return literal;
  for (const pattern of branch.patterns) if (takes(pattern.segment, part)) return pattern.branch;
  return part === "" ? undefined : branch.plain;
}

function add<T>(root: Branch<T>, leaf: Leaf<T>): void {
  let branch = root;
  for (const segment of leaf.template.segments) {
    if ("rest" in segment) {
      if (branch.rest !== undefined) throw new Ambiguous(branch.rest.template.text, leaf.template.text);
      branch.rest = leaf;
      return;
    }
    branch = grown(branch, segment, leaf);
  }
  if (branch.leaf !== undefined) throw new Ambiguous(branch.leaf.template.text, leaf.template.text);
  branch.leaf = leaf;
}

function grown<T>(branch: Branch<T>, segment: Pattern, leaf: Leaf<T>): Branch<T> {
  if (segment.fields.length === 0) {
    const text = segment.literals[0] ?? "";
    const known = branch.literals.get(text) ?? newBranch();
    branch.literals.set(text, known);
    return known;
  }
  if (isPlain(segment)) return (branch.plain ??= newBranch());
  const text = segment.literals.join("\0");
  const same = branch.patterns.find((each) => each.text === text);
  if (same !== undefined) return same.branch;
  const other = branch.patterns.find((each) => canMeet(each.segment, segment));
  if (other !== undefined) throw new Ambiguous(anyTemplateOf(other.branch), leaf.template.text);
  const made = newBranch<T>();
  branch.patterns.push({ segment, text, branch: made });
  return made;
}

function anyTemplateOf<T>(branch: Branch<T>): string {
  for (let at: Branch<T> | undefined = branch; at !== undefined;) {
    const leaf: Leaf<T> | undefined = at.leaf ?? at.rest;
    if (leaf !== undefined) return leaf.template.text;
    at = at.plain ?? at.patterns[0]?.branch ?? at.literals.values().next().value;
  }
  return "another";
}

/** Whether two templates of attributes can build the same text. */
export function canBeEqual(one: Template, other: Template): boolean {
  const [[first], [second]] = [one.segments, other.segments];
  if (first === undefined || second === undefined || "rest" in first || "rest" in second) return true;
  return canMeet(first, second);
}

/**
 * Whether there is a text of both patterns. Where both have a field, all that is between their ends can be had one after the
 * other, so that only the ends decide.
 */
function canMeet(one: Pattern, other: Pattern): boolean {
  if (one.fields.length === 0) return takes(other, one.literals[0] ?? "");
  if (other.fields.length === 0) return takes(one, other.literals[0] ?? "");
  const [start, begin] = [one.literals[0] ?? "", other.literals[0] ?? ""];
  const [end, close] = [one.literals.at(-1) ?? "", other.literals.at(-1) ?? ""];
  return (start.startsWith(begin) || begin.startsWith(start)) && (end.endsWith(close) || close.endsWith(end));
}
