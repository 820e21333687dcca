import { Fault } from "../fault.ts";
import { invalid } from "./fault.ts";

/** The parsed body of a request. */
export type Input = Readonly<Record<string, unknown>>;

export interface TextRule {
  readonly least?: number;
  readonly most?: number;
  /** As the API reference gives it; the whole value has to match. */
  readonly pattern?: string;
  readonly oneOf?: readonly string[];
  /** Its value is not repeated in messages. */
  readonly isSensitive?: boolean;
}

const visible = String.raw`[\p{L}\p{M}\p{S}\p{N}\p{P}]+`;

/** What the API reference says of the members that several operations share. */
export const rules = {
  poolId: { least: 1, most: 55, pattern: String.raw`[\w-]+_[0-9a-zA-Z]+` },
  poolName: { least: 1, most: 128, pattern: String.raw`[\w\s+=,.@-]+` },
  username: { least: 1, most: 128, pattern: visible, isSensitive: true },
  groupName: { least: 1, most: 128, pattern: visible },
  password: { most: 256, pattern: String.raw`[\S]+`, isSensitive: true },
  token: { least: 1, pattern: String.raw`[\S]+` },
} as const satisfies Record<string, TextRule>;

/** A text that may be missing. */
export function optionalText(input: Input, name: string, rule: TextRule = {}): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw wrongType(value, "a String");
  checkText(value, memberOf(name), rule);
  return value;
}

export function text(input: Input, name: string, rule: TextRule = {}): string {
  const value = optionalText(input, name, rule);
  if (value !== undefined) return value;
  throw violation(memberOf(name), "null", "Member must not be null");
}

export function poolIdOf(input: Input): string {
  return text(input, "UserPoolId", rules.poolId);
}

export function usernameOf(input: Input): string {
  return text(input, "Username", rules.username);
}

export function groupNameOf(input: Input): string {
  return text(input, "GroupName", rules.groupName);
}

export function optionalBoolean(input: Input, name: string): boolean | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw wrongType(value, "a Boolean");
  return value;
}

/** A whole number that may be missing. */
export function optionalNumber(
  input: Input,
  name: string,
  { least, most }: { readonly least: number; readonly most?: number },
): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value)) throw wrongType(value, "an Integer");
  if (value < least)
    throw violation(memberOf(name), `'${value}'`, `Member must have value greater than or equal to ${least}`);
  if (most !== undefined && value > most)
    throw violation(memberOf(name), `'${value}'`, `Member must have value less than or equal to ${most}`);
  return value;
}

/** At most 60 at once, of everything; 0 counts as not said. */
export function limitOf(input: Input, name = "Limit"): number {
  const asked = optionalNumber(input, name, { least: 0, most: 60 });
  return asked === undefined || asked === 0 ? 60 : asked;
}

/** A list of texts; empty when it is missing. */
export function texts(input: Input, name: string, rule: TextRule = {}): string[] {
  return list(input, name).map((value, index) => {
    if (typeof value !== "string") throw wrongType(value, "a String");
    checkText(value, `${memberOf(name)}.${index + 1}.member`, rule);
    return value;
  });
}

/** A list of structures; empty when it is missing. */
export function structures(input: Input, name: string): Input[] {
  return list(input, name).map((value) => {
    if (!isInput(value)) throw wrongType(value, "a structure");
    return value;
  });
}

export function optionalStructure(input: Input, name: string): Input | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!isInput(value)) throw wrongType(value, "a structure");
  return value;
}

export function isInput(value: unknown): value is Input {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(input: Input, name: string): readonly unknown[] {
  const value = input[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(value, "a list");
  return value;
}

function checkText(value: string, member: string, rule: TextRule): void {
  const shown = rule.isSensitive === true ? undefined : `'${value}'`;
  if (rule.least !== undefined && value.length < rule.least)
    throw violation(member, shown, `Member must have length greater than or equal to ${rule.least}`);
  if (rule.most !== undefined && value.length > rule.most)
    throw violation(member, shown, `Member must have length less than or equal to ${rule.most}`);
  if (rule.pattern !== undefined && !new RegExp(`^(?:${rule.pattern})$`, "u").test(value))
    throw violation(member, shown, `Member must satisfy regular expression pattern: ${rule.pattern}`);
  if (rule.oneOf !== undefined && !rule.oneOf.includes(value))
    throw violation(member, shown, `Member must satisfy enum value set: [${rule.oneOf.join(", ")}]`);
}

function violation(member: string, shown: string | undefined, constraint: string): Fault {
  const value = shown === undefined ? "Value" : `Value ${shown}`;
  return invalid(
    `1 validation error detected: ${value} at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

/** Members are named in lower camel case in such messages. */
function memberOf(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function wrongType(value: unknown, expected: string): Fault {
  const kind = Array.isArray(value)
    ? "Start of list"
    : isInput(value)
      ? "Start of structure"
      : `${typeof value} value`;
  return new Fault("SerializationException", `${kind} found where ${expected} was expected`);
}
