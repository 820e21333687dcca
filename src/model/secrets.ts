import { isDeeperThan, isRecord, type JsonObject } from "./json.ts";

/** Which values of a site open something. They lie where the site keeps them; elsewhere only encrypted. */
export interface Secrets {
  /** Roles of the tables in which there may be some. The tool's own hold none. */
  readonly tables: readonly string[];
  /** A regular expression, of whatever case, of how the names of attributes end: at any depth, and in texts that are JSON. */
  readonly names: string;
  /** Attributes that are secret with all that is in them, of items of which this is the whole value of the partition key. */
  readonly items: readonly { readonly ids: string; readonly attributes: readonly string[] }[];
}

/** What is put in the place of a secret: its value, and what of it is to stand there; undefined leaves it out. */
type Replace = (value: unknown, path: string) => unknown;

/** Where the secrets of a value are, as `settings.ai.apiKey`. Of an item, `id` is the value of its partition key. */
export function secretPaths(secrets: Secrets, value: unknown, id?: string): string[] {
  const paths: string[] = [];
  const marked = secrets.items.filter(
    ({ ids }) => id !== undefined && new RegExp(`^(?:${ids})$`, "u").test(id),
  );
  const whole = new Set(marked.flatMap(({ attributes }) => attributes));
  if (isRecord(value)) {
    for (const [name, inner] of Object.entries(value))
      if (whole.has(name) && holdsText(inner)) paths.push(name);
  }
  const rest = whole.size === 0 || !isRecord(value) ? value : without(value, whole);
  replaced(rest, { names: namesOf(secrets), path: "", replace: (_value, path) => void paths.push(path) });
  return paths.toSorted();
}

/** The value without its secrets, and where they were. What held none is the same object. */
export function leavingSecretsOut(
  secrets: Secrets,
  value: unknown,
): { readonly value: unknown; readonly left: readonly string[] } {
  const left: string[] = [];
  const replace: Replace = (_value, path) => void left.push(path);
  return { value: replaced(value, { names: namesOf(secrets), path: "", replace }), left };
}

/** The value as it may be shown: `(secret, 24 characters)` in the place of each secret. */
export function secretsMasked(secrets: Secrets, value: unknown): unknown {
  return replaced(value, { names: namesOf(secrets), path: "", replace: maskOf });
}

/** A value as it may be shown that stands under these names. */
export function secretMaskedAt(secrets: Secrets, path: readonly string[], value: unknown): unknown {
  const names = namesOf(secrets);
  if (path.some((name) => names.test(name)) && holdsText(value)) return maskOf(value);
  return isHiding(value, names) ? maskOf(value) : secretsMasked(secrets, value);
}

/** `value` with those secrets of `stored` that it does not have: what left them out takes none away. */
export function withSecretsOf(secrets: Secrets, stored: JsonObject, value: JsonObject): JsonObject {
  const names = namesOf(secrets);
  const carried = (before: JsonObject, after: JsonObject): JsonObject => {
    const kept = Object.entries(before).flatMap(([name, inner]): [string, unknown][] => {
      const now = Object.hasOwn(after, name) ? after[name] : undefined;
      if (isSecret(name, inner, names)) return now === undefined ? [[name, inner]] : [];
      if (!isRecord(inner) || !isRecord(now)) return [];
      const both = carried(inner, now);
      return both === now ? [] : [[name, both]];
    });
    return kept.length === 0 ? after : { ...after, ...Object.fromEntries(kept) };
  };
  return carried(stored, value);
}

/**
 * A regular expression for the JSON of items, typed or plain: where it matches nothing, there is no secret. It may match
 * where there is none.
 */
export function secretTraces({ names, items }: Secrets): RegExp {
  // In a text that is JSON itself the quotes are escaped.
  return new RegExp([`(?:${names})\\\\*"`, ...items.map(({ ids }) => `"(?:${ids})"`)].join("|"), "i");
}

function maskOf(value: unknown): string {
  return typeof value === "string" ? `(secret, ${Array.from(value).length} characters)` : "(secret)";
}

function namesOf({ names }: Secrets): RegExp {
  return new RegExp(`(?:${names})$`, "iu");
}

interface Walk {
  readonly names: RegExp;
  readonly path: string;
  readonly replace: Replace;
}

/** Goes through lists and maps; the same object comes back where nothing was replaced. */
function replaced(value: unknown, { names, path, replace }: Walk): unknown {
  if (Array.isArray(value)) {
    const elements = value.flatMap((element: unknown, at) => {
      const inner = `${path}[${at}]`;
      const now = isHiding(element, names)
        ? replace(element, inner)
        : replaced(element, { names, path: inner, replace });
      return now === undefined ? [] : [now];
    });
    return sameElements(elements, value) ? value : elements;
  }
  if (!isPlainMap(value)) return value;
  let isSame = true;
  const entries = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const at = path === "" ? name : `${path}.${name}`;
    const now = isSecret(name, inner, names)
      ? replace(inner, at)
      : replaced(inner, { names, path: at, replace });
    isSame &&= now === inner;
    return now === undefined ? [] : [[name, now]];
  });
  return isSame ? value : Object.fromEntries(entries);
}

function isSecret(name: string, value: unknown, names: RegExp): boolean {
  return (names.test(name) && holdsText(value)) || isHiding(value, names);
}

/** Whether there is anything in it that could open something: flags, numbers and what is empty do not. */
function holdsText(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  if (value instanceof Uint8Array) return value.byteLength > 0;
  if (value instanceof Set) return [...value].some(holdsText);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsText);
}

/** As deep as a text that is JSON is looked into; what is deeper counts as one that holds a secret. */
const maxLevels = 100;

/** Whether a text is JSON in which there is a secret. */
function isHiding(value: unknown, names: RegExp): boolean {
  if (typeof value !== "string" || !/^\s*[{["]/.test(value)) return false;
  let inner: unknown;
  try {
    inner = JSON.parse(value);
  } catch {
    return false;
  }
  if (isDeeperThan(inner, maxLevels)) return true;
  let isFound = false;
  replaced([inner], { names, path: "", replace: () => void (isFound = true) });
  return isFound;
}

function isPlainMap(value: unknown): value is JsonObject {
  return isRecord(value) && !(value instanceof Uint8Array) && !(value instanceof Set);
}

function sameElements(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((element, at) => element === other[at]);
}

function without(value: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.has(name)));
}
