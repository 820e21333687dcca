import { describe, expect, test } from "vitest";
import { readSource } from "../../src/browser-storage/source.ts";
import { CliError } from "../../src/errors.ts";
import { isTwin } from "../../src/model/twin.ts";
import { localStorageLine } from "../../src/site/twin/snippets.ts";

const key = "digitalTwinTraining";
const token = "FAKE-TOKEN-6b1f0c";
const twin = { personality: { traits: "präzise 😀" }, analytics: { progress: 75 }, extra: [1, { a: null }] };
const text = JSON.stringify(twin);
const others = { idToken: token, heroData: '{"profileImage":"x"}' };

function read(source: string) {
  return readSource(source, { key, fits: isTwin, what: "digital twin" });
}

function refusal(source: string): CliError {
  try {
    read(source);
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error("the source was taken");
}

describe("the one reader of sources", () => {
  test.each([
    ["the value itself", text, "value"],
    [
      "the value with a byte order mark and line breaks",
      `\uFEFF\n${JSON.stringify(twin, null, 2)}\n`,
      "value",
    ],
    ["the value as a JSON string", JSON.stringify(text), "string"],
    ["the value encoded three times", JSON.stringify(JSON.stringify(text)), "string"],
    ["a dump of localStorage", JSON.stringify({ ...others, [key]: text }), "dump"],
    ["a dump as a JSON string", JSON.stringify(JSON.stringify({ ...others, [key]: text })), "dump"],
    [
      "a dump whose value is encoded twice",
      JSON.stringify({ ...others, [key]: JSON.stringify(text) }),
      "dump",
    ],
    ["a dump whose values are parsed already", JSON.stringify({ ...others, [key]: twin }), "dump"],
    ["the console line of an export", localStorageLine(key, text), "console-line"],
    ["the console line with a semicolon", `${localStorageLine(key, text)};`, "console-line"],
  ])("takes %s", (_name, source, shape) => {
    expect(read(source)).toStrictEqual({ value: twin, shape });
  });

  test.each([
    [
      "a dump without the key",
      JSON.stringify(others),
      /neither a digital twin nor a key digitalTwinTraining/,
    ],
    [
      "a dump whose key holds something else",
      JSON.stringify({ ...others, [key]: '"x"' }),
      /not JSON|does not hold/,
    ],
    ["a dump whose key holds a token", JSON.stringify({ ...others, [key]: token }), /is not JSON/],
    ["a list", JSON.stringify([token]), /neither/],
    ["a number", "42", /neither/],
    ["null", "null", /neither/],
    ["nothing", " \n", /there is nothing/],
    ["a string five times over", [1, 2, 3, 4, 5].reduce((value) => JSON.stringify(value), text), /neither/],
    ["JSON that breaks off", JSON.stringify({ ...others, [key]: text }).slice(0, -1), /is not JSON/],
    ["a token without quotes", `{"idToken": ${token}}`, /is not JSON/],
    ["no JSON at all", token, /is not JSON/],
    ["the console line of another key", localStorageLine("idToken", token), /is not JSON/],
    ["an inherited name", readable("constructor"), /neither/],
  ])("refuses %s and quotes nothing of it", (_name, source, message) => {
    const error = refusal(source);
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(4);
    expect(error.cause).toBeUndefined();
    expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain("FAKE");
    expect(`${error.message} ${error.hint}`).not.toMatch(/idToken|heroData/);
  });

  test("counts lines and columns of a syntax error from 1", () => {
    expect(refusal('{\n  "a": 1,\n  "b": 2 3\n}').message).toContain("(line 3, column 10)");
  });

  test("keeps a field called __proto__ as a field", () => {
    const source = '{"personality": {"traits": "a"}, "__proto__": {"polluted": true}}';
    expect(JSON.stringify(read(source).value)).toBe(JSON.stringify(JSON.parse(source)));
    expect(Object.keys({}).includes("polluted")).toBe(false);
  });
});

function readable(name: string): string {
  return JSON.stringify({ [name]: "x" });
}
