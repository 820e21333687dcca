import { invalid } from "./fault.ts";
import type { User } from "./records.ts";

export interface Filter {
  readonly attribute: string;
  readonly isPrefix: boolean;
  readonly value: string;
}

/** What may be searched for, and where it stands. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html */
const searchable: Readonly<Record<string, (user: User) => string | undefined>> = {
  username: (user) => user.username,
  sub: (user) => user.sub,
  "cognito:user_status": (user) => user.status,
  status: (user) => (user.enabled ? "Enabled" : "Disabled"),
  email: (user) => user.attributes["email"],
  phone_number: (user) => user.attributes["phone_number"],
  name: (user) => user.attributes["name"],
  given_name: (user) => user.attributes["given_name"],
  family_name: (user) => user.attributes["family_name"],
  preferred_username: (user) => user.attributes["preferred_username"],
};

/** `attribute = "value"` or `attribute ^= "value"` (begins with), quotes in the value behind a backslash. */
export function parseFilter(text: string): Filter | undefined {
  if (text.trim() === "") return undefined;
  const match = /^\s*([\w:]+)\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/su.exec(text);
  if (match === null) throw invalid("Error while parsing filter.");
  const [, attribute = "", operator, value = ""] = match;
  if (!Object.hasOwn(searchable, attribute)) throw invalid(`Invalid search attribute: ${attribute}`);
  return { attribute, isPrefix: operator === "^=", value: value.replaceAll(/\\(.)/gsu, "$1") };
}

export function matches(user: User, { attribute, isPrefix, value }: Filter): boolean {
  const found = searchable[attribute]?.(user);
  if (found === undefined) return false;
  // The one attribute of which AWS says that case does not count.
  const [left, right] =
    attribute === "cognito:user_status" ? [found.toUpperCase(), value.toUpperCase()] : [found, value];
  return isPrefix ? left.startsWith(right) : left === right;
}
