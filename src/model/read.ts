import {
  createScanner,
  findNodeAtLocation,
  parse,
  parseTree,
  printParseErrorCode,
  visit,
  type ParseError,
} from "jsonc-parser";
import * as z from "zod";
import { faultsIn, mostEntities, mostFaults, type Fault } from "./check.ts";
import { isRecord } from "./json.ts";
import { nearest } from "./nearest.ts";
import { modelSchema, type Model } from "./schema.ts";

/** A fault, and in which line of the file it is, where one line can be told. */
export type FaultInFile = Fault & { readonly line?: number | undefined };

export type Reading = { readonly model: Model } | { readonly faults: readonly FaultInFile[] };

/** No site's model is near this. */
const mostModelBytes = 1_000_000;
const mostLevels = 24;

/**
 * Reads a model file (JSON with comments) and checks it whole: its form, then what its parts say of each other. What comes back is
 * a model to work by, or everything that is wrong with it. Takes little time whatever the file holds. Pure.
 */
export function readModel(text: string): Reading {
  const early = textFault(text);
  if (early !== undefined) return { faults: [early] };
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [broken] = errors;
  if (broken !== undefined) {
    const what = `is no JSON: ${printParseErrorCode(broken.error)}`;
    return { faults: [{ path: "", what, remedy: "mend that place", line: lineOf(text, broken.offset) }] };
  }
  const parsed = modelSchema.safeParse(value);
  const faults = parsed.success
    ? faultsIn(parsed.data)
    : parsed.error.issues.slice(0, mostFaults).flatMap((issue) => faultsOf(issue, value));
  if (parsed.success && faults.length === 0) return { model: parsed.data };
  const told = withLines(text, faults.slice(0, mostFaults));
  if (faults.length <= mostFaults) return { faults: told };
  const what = "has more faults than are told at once";
  return { faults: [...told, { path: "", what, remedy: "mend these first" }] };
}

/** What must not even be parsed: too large, too deep, a key twice in one object, a name that objects answer to by themselves. */
function textFault(text: string): FaultInFile | undefined {
  if (text.length > mostModelBytes) {
    const what = `has ${text.length.toLocaleString("en")} characters; at most ${mostModelBytes.toLocaleString("en")}`;
    return { path: "", what, remedy: "a model says what kinds of things there are, not the things" };
  }
  const depth = deepPlace(text);
  if (depth !== undefined) {
    const what = `is nested deeper than ${mostLevels} levels`;
    return { path: "", what, remedy: "no part of a model is", line: lineOf(text, depth) };
  }
  return doubtfulKey(text);
}

/** Where a text is nested too deeply; found without going down, so that no depth ends it. */
function deepPlace(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let level = 0;
  for (;;) {
    scanner.scan();
    const at = scanner.getTokenOffset();
    if (at >= text.length) return undefined;
    const sign = text[at];
    if (sign === "{" || sign === "[") level += 1;
    if (sign === "}" || sign === "]") level -= 1;
    if (level > mostLevels) return at;
  }
}

function doubtfulKey(text: string): FaultInFile | undefined {
  let found: FaultInFile | undefined;
  let entities = 0;
  const open: Set<string>[] = [];
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onLiteralValue(value: unknown, offset, _length, _line, _character, pathOf) {
      if (found !== undefined || typeof value !== "string" || !unseen.test(value)) return;
      found = { ...unseenFault(pathText(pathOf())), line: lineOf(text, offset) };
    },
    onObjectProperty(name, offset, _length, _line, _character, pathOf) {
      const names = open.at(-1);
      const isTwice = names?.has(name) === true;
      names?.add(name);
      if (found !== undefined) return;
      const at = { line: lineOf(text, offset) };
      if (isTwice) {
        const what = "stands there twice; the first would be lost";
        found = {
          path: pathText([...pathOf(), name]),
          what,
          remedy: "give the one or the other another name",
          ...at,
        };
      } else if (name === "__proto__") {
        const what = "is a name that is not taken";
        found = { path: pathText([...pathOf(), name]), what, remedy: "use another", ...at };
      } else if (unseen.test(name)) {
        found = { ...unseenFault(pathText([...pathOf(), "…"])), ...at };
      } else if (open.length === 2 && pathOf()[0] === "entities" && (entities += 1) > mostEntities) {
        const remedy = "an entity is a kind of thing, not a thing";
        found = { path: "entities", what: `has more than ${mostEntities} entities`, remedy };
      }
    },
  });
  return found;
}

/** What steers a terminal, or shows a text in another order than it has: a model's words are printed. */
const unseen = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/u;

function unseenFault(path: string): Fault {
  return {
    path,
    what: "holds a character that cannot be seen",
    remedy: "leave out control characters and line breaks",
  };
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** Finds the lines of faults; the path of one that is nowhere in the text is shortened until it is. */
function withLines(text: string, faults: readonly Fault[]): FaultInFile[] {
  const root = parseTree(text, [], { allowTrailingComma: true });
  return faults.map((fault) => {
    const path = [...fault.path.matchAll(/[^.[\]]+/g)].map(([part]) =>
      /^\d+$/.test(part) ? Number(part) : part,
    );
    for (; path.length > 0; path.pop()) {
      const node = root === undefined ? undefined : findNodeAtLocation(root, path);
      if (node !== undefined) return { ...fault, line: lineOf(text, node.parent?.offset ?? node.offset) };
    }
    return { ...fault, line: 1 };
  });
}

/** `entities.documents.links[0]` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

function faultsOf(issue: z.core.$ZodIssue, value: unknown): Fault[] {
  const path = pathText(issue.path);
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = namesAt(modelSchema, issue.path);
      return issue.keys.slice(0, mostFaults).map((key) => {
        const meant = nearest(key, known);
        const others = meant === undefined ? `there are: ${known.join(", ")}` : `did you mean "${meant}"?`;
        const remedy = asksForArchive(issue.path, key) ? noArchive : others;
        return { path: pathText([...issue.path, key]), what: "is no key that is known here", remedy };
      });
    }
    case "invalid_type": {
      const given = valueAt(value, issue.path);
      const what = given === undefined ? "is missing" : `is ${kindOf(given)}, not ${article(issue.expected)}`;
      return [{ path, what, remedy: "see docs/models.md" }];
    }
    case "invalid_value": {
      const values = issue.values.map((each) => JSON.stringify(each)).join(", ");
      const given = String(valueAt(value, issue.path));
      const remedy = asksForArchive(issue.path, given) ? noArchive : `write one of ${values}`;
      return [{ path, what: `is none of ${values}`, remedy }];
    }
    case "invalid_key":
      return [{ path, what: issue.issues[0]?.message ?? "is no name", remedy: "give it another name" }];
    default:
      return [{ path, what: issue.message, remedy: "see docs/models.md" }];
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html */
const noArchive =
  "leave it out: a link to what lies in an archive tier or class fails until that is restored";

function asksForArchive([first]: readonly PropertyKey[], word: string): boolean {
  return first === "lifecycle" && /archive|glacier/i.test(word);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[part];
  }
  return at;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : isRecord(value) ? "an object" : article(typeof value);
}

function article(kind: string): string {
  if (kind === "array") return "a list";
  if (kind === "record") return "an object";
  if (kind === "string") return "a text";
  return `${/^[aeio]/.test(kind) ? "an" : "a"} ${kind}`;
}

/** The keys that an object has at a place of the schema. */
function namesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const shapes = unwrapped(schema);
  const [first, ...rest] = path;
  if (first === undefined)
    return shapes.flatMap((each) => (each instanceof z.ZodObject ? Object.keys(each.shape) : []));
  return shapes.flatMap((each) => {
    if (each instanceof z.ZodArray) return namesAt(each.element, rest);
    if (each instanceof z.ZodRecord) return namesAt(each.valueType, rest);
    const inner =
      each instanceof z.ZodObject
        ? (each.shape as Record<string, z.core.$ZodType>)[String(first)]
        : undefined;
    return inner === undefined ? [] : namesAt(inner, rest);
  });
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return unwrapped(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(unwrapped);
  return [schema];
}
