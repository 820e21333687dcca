import { expect, it } from "vitest";
import { namedIn } from "../../src/users/mentions.ts";

it.each([
  ["max@example.com", "schreib an Max@Example.com.", true],
  ["max@example.com", "<max@example.com>", true],
  ["max@example.com", "max@example.com.au", false],
  ["max@example.com", "a.max@example.com", false],
  ["max@example.com", "max@exampleXcom", false],
  ["user-1", "USER#user-1", true],
  ["user-1", "users/user-1/a.pdf", true],
  ["user-1", "user-12", false],
  ["user-1", "user-1-2", false],
  ["a(b)c$", "siehe a(b)c$ dort", true],
  ["müller@example.com", "jmüller@example.com", false],
  ["12345", "12345", false],
  ["max", "max", false],
])("%s in %j: %s", (id, text, isNamed) => {
  expect(namedIn([id])(text)).toBe(isNamed);
});
