import { dirname, resolve as absolute } from "node:path";
import { CliError, exitCodes } from "../errors.ts";
import { isRecord } from "../model/json.ts";
import { mawpsModel } from "../model/mawps.ts";
import { nearest } from "../model/nearest.ts";
import type { Model } from "../model/schema.ts";
import { url, type Kind } from "./kinds.ts";
import { settings, settingsOf, type Setting, type SettingKey } from "./settings.ts";

/** One value per setting, under its key. */
type Values = { readonly [K in SettingKey]: (typeof settings)[K]["fallback"] | KindOf<K> };

/** `a.b` of these as `b` in `a`. */
type Grouped<T> = {
  readonly [
    K in keyof T as K extends `${infer Group}.${string}` ? Group : K
  ]: K extends `${infer Group}.${string}`
    ? { readonly [Each in keyof T as Each extends `${Group}.${infer Name}` ? Name : never]: T[Each] }
    : T[K];
};

/**
 * The value of each setting, as a file has them: `backup.repository` is in `backup`. Names and periods of another model than MAWPS's are
 * there as its model has them.
 */
export type Config = Grouped<Values> & {
  /** What the setting `model` says, read and checked. */
  readonly site: Model;
};

/** The value of a setting by its key; undefined for one that the site's model does not have. */
export function valueOf(config: Config, key: string): unknown {
  const at = (value: unknown, name: string) =>
    isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return key.split(".").reduce<unknown>(at, config);
}

/** `buckets.publicMedia` as `{buckets: {publicMedia}}`, as a file has it. Pure. */
export function grouped(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const [first = "", name] = key.split(".");
    all[first] = name === undefined ? value : { ...(all[first] as object | undefined), [name]: value };
  }
  return all;
}

type KindOf<K extends SettingKey> = (typeof settings)[K] extends Setting<infer T> ? T : never;

/** Where a value came from, in the words of the user: `--region`, `AWS_REGION`, a file's path, `default`. */
export type Sources = Readonly<Record<SettingKey, string>>;

export interface ConfigFile {
  /** Absolute path, for messages and for resolving relative folders. */
  readonly path: string;
  readonly values: unknown;
}

export interface Resolved {
  readonly config: Config;
  readonly sources: Sources;
}

/** What was given, by where it stands. */
interface Given {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: ConfigFile | undefined;
}

/**
 * Flag over environment over file over default, for every setting of MAWPS.
 * @throws CliError (usage) that names the flag, variable, or file and key, of an unknown key or wrong value.
 */
export function resolve(flags: Given["flags"], env: Given["env"], file: ConfigFile | undefined): Resolved {
  return resolveFor(mawpsModel, { flags, env, file });
}

/** Every group is there, also where a model has no setting of it. */
const noGroups = Object.fromEntries(
  Object.keys(settings).flatMap((key) => (key.includes(".") ? [[key.split(".", 1)[0], {}]] : [])),
);

/** The same for the settings of a site by its model. */
export function resolveFor(site: Model, given: Given): Resolved {
  const known = settingsOf(site);
  const { file } = given;
  const inFile = file === undefined ? new Map<string, unknown>() : fileValues(file, known);
  const values = new Map<string, unknown>();
  const sources: Record<string, string> = {};
  for (const [key, each] of Object.entries(known)) {
    const [value, source] = pick([key, each], given, inFile);
    values.set(key, value);
    sources[key] = source;
  }
  const resolved = {
    config: { ...noGroups, ...grouped(values), site } as Config,
    sources: sources as Sources,
  };
  refuseContradictions(resolved);
  return resolved;
}

/** What is said of the model, before anything else can be read: it says which other settings there are. */
export function modelSetting(given: Given): { readonly value: string; readonly source: string } {
  const { file } = given;
  const inFile = new Map(isRecord(file?.values) ? Object.entries(file.values) : []);
  const [value, source] = pick(["model", settings.model], given, inFile);
  return { value: String(value), source };
}

/** Settings that are a file or folder. */
const places = [
  "model",
  "home",
  "backup.repository",
  "backup.identityFile",
  "backup.passphraseFile",
] as const;

function pick(
  [key, { kind, flag, env: variables, fallback }]: readonly [string, Setting<unknown>],
  { flags, env, file }: Given,
  inFile: ReadonlyMap<string, unknown>,
): [unknown, string] {
  if (flag !== undefined && flags[flag] !== undefined) {
    const given = flags[flag];
    const name = flagName(flag);
    return [checked(typeof given === "string" ? kind.fromText(given) : given, kind, name, given), name];
  }
  for (const variable of variables) {
    const given = env[variable];
    // NO_COLOR counts whenever it is set and not empty, whatever it says: https://no-color.org
    if (variable === "NO_COLOR" && given !== undefined && given !== "") return [true, variable];
    if (given !== undefined && given !== "")
      return [checked(kind.fromText(given), kind, variable, given), variable];
  }
  if (file !== undefined && inFile.has(key)) {
    const given = inFile.get(key);
    const value = checked(kind.fromJson(given), kind, `${file.path}: "${key}"`, given);
    // A folder that a file names lies where the file does, wherever below it the command was called.
    const isPlace =
      typeof value === "string" && (places as readonly string[]).includes(key) && !isModelName(key, value);
    const placed = isPlace && !value.startsWith("s3:") ? absolute(dirname(file.path), value) : value;
    return [placed, file.path];
  }
  return [fallback, "default"];
}

/** A model is a name, or a file: one has a dot or a slash. */
function isModelName(key: string, value: string): boolean {
  return key === "model" && !/[./\\]/.test(value);
}

function checked(value: unknown, kind: Kind<unknown>, where: string, given: unknown): unknown {
  if (value !== undefined) return value;
  const text = JSON.stringify(given);
  const mayHoldPassword = kind === url && text.includes("@");
  const shown = mayHoldPassword ? "one with an @ (it is not shown)" : text;
  throw new CliError(`${where}: expected ${kind.expected}, not ${shown}`, {
    exitCode: exitCodes.usage,
  });
}

/** `{"buckets": {"publicMedia": "x"}}` as `buckets.publicMedia -> x`; unknown keys are errors. */
function fileValues(
  file: ConfigFile,
  settings: Readonly<Record<string, Setting<unknown>>>,
): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const known = Object.keys(settings).filter((key) => settings[key]?.inFile === true);
  const groups = new Set(known.filter((key) => key.includes(".")).map((key) => key.split(".", 1)[0]));
  const walk = (value: unknown, prefix: string) => {
    if (!isRecord(value)) {
      const what = prefix === "" ? "the file" : `"${prefix.slice(0, -1)}"`;
      throw new CliError(`${file.path}: ${what} must be an object`, { exitCode: exitCodes.usage });
    }
    for (const [name, inner] of Object.entries(value)) {
      const key = prefix + name;
      if (key === "$schema") continue;
      if (prefix === "" && groups.has(key)) walk(inner, `${key}.`);
      else if (known.includes(key)) found.set(key, inner);
      else {
        throw new CliError(`${file.path}: unknown key "${key}"`, {
          exitCode: exitCodes.usage,
          hint: keyHint(key, settings),
        });
      }
    }
  };
  walk(file.values, "");
  return found;
}

/** What was likely meant by a key that a file may not have. */
function keyHint(key: string, settings: Readonly<Record<string, Setting<unknown>>>): string {
  const ofOneCall = Object.hasOwn(settings, key) ? settings[key] : undefined;
  if (ofOneCall !== undefined) {
    const ways = [...(ofOneCall.flag === undefined ? [] : [flagName(ofOneCall.flag)]), ...ofOneCall.env];
    return `it belongs to one call: ${ways.join(", ")}`;
  }
  const known = Object.keys(settings).filter((each) => settings[each]?.inFile === true);
  const last = (name: string) => name.slice(name.lastIndexOf(".") + 1);
  const behind = nearest(last(key), known.map(last));
  const meant = nearest(key, known) ?? known.find((each) => last(each) === behind);
  return meant === undefined ? "`mawps config show` lists the keys" : `did you mean "${meant}"?`;
}

function flagName(flag: string): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** What is private must not lie in a bucket that everybody can read. */
function refuseOneBucket({ config, sources }: Resolved): void {
  const buckets = Object.entries(config.site.buckets).map(([role, { access }]) => {
    const key = `buckets.${role}`;
    return {
      key,
      isPublic: access !== "private",
      name: valueOf(config, key),
      from: (sources as Record<string, string>)[key],
    };
  });
  for (const open of buckets.filter(({ isPublic }) => isPublic)) {
    const closed = buckets.find(({ isPublic, name }) => !isPublic && name === open.name);
    if (closed === undefined) continue;
    const from = [...new Set([open.from, closed.from])].join(" and ");
    throw new CliError(`${from}: ${closed.key} is the public bucket, ${String(open.name)}`, {
      exitCode: exitCodes.usage,
      hint: "name two buckets: everybody can read the public one",
    });
  }
}

function refuseContradictions({ config, sources }: Resolved): void {
  refuseOneBucket({ config, sources });
  if (config.target === "local" && sources.endpointUrl === "--endpoint-url") {
    throw new CliError("--endpoint-url needs --target aws: the local store has no endpoint to choose", {
      exitCode: exitCodes.usage,
    });
  }
  if (config.clamav.host !== undefined && config.clamav.socket !== undefined) {
    throw new CliError("clamav.host and clamav.socket are both set: clamd is asked in one way", {
      exitCode: exitCodes.usage,
      hint: `they come from ${sources["clamav.host"]} and ${sources["clamav.socket"]}`,
    });
  }
  const idle = (["metrics.dimensions", "metrics.topic"] as const).find((key) => sources[key] !== "default");
  if (idle !== undefined && config.metrics.namespace === undefined) {
    throw new CliError(
      `${sources[idle]}: "${idle}" needs "metrics.namespace": without it no metrics are put`,
      {
        exitCode: exitCodes.usage,
      },
    );
  }
  const topicRegion = config.metrics.topic?.split(":")[3];
  if (topicRegion !== undefined && topicRegion !== config.region) {
    throw new CliError(
      `${sources["metrics.topic"]}: the topic is in ${topicRegion}, and alarms in ${config.region} tell only topics there`,
      { exitCode: exitCodes.usage },
    );
  }
  if (config.protected && config.name === undefined) {
    throw new CliError(`${sources.protected}: a protected environment needs a "name" that can be typed`, {
      exitCode: exitCodes.usage,
    });
  }
}
