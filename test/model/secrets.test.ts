import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { siteSecrets } from "../../src/model/mawps.ts";
import {
  leavingSecretsOut,
  secretMaskedAt,
  secretPaths,
  secretsMasked,
  secretTraces,
  withSecretsOf,
} from "../../src/model/secrets.ts";

const key = "sk-test-0123456789";

describe("secrets of a value", () => {
  test.each<[string, unknown, string[]]>([
    ["in a map", { apiKey: key }, ["apiKey"]],
    ["deep in a profile", { settings: { ai: { provider: "openai", apiKey: key } } }, ["settings.ai.apiKey"]],
    ["in a list of maps", { a: [{ b: 1 }, { token: key }] }, ["a[1].token"]],
    ["as all texts of a map", { apiKeys: { openai: key, model: "x" } }, ["apiKeys"]],
    ["as a set", { api_keys: new Set([key]) }, ["api_keys"]],
    ["as bytes", { privateKey: new Uint8Array([1]) }, ["privateKey"]],
    ["in a text that is JSON", { anthropic: JSON.stringify({ apiKey: key }) }, ["anthropic"]],
    ["in JSON in JSON", { a: JSON.stringify({ b: JSON.stringify({ password: key }) }) }, ["a"]],
    ["in a text of a list", { a: ["x", JSON.stringify([{ secret: key }])] }, ["a[1]"]],
    [
      "by the ends of names, whatever the case",
      { OPENAI_API_KEY: key, "x-api-key": key },
      ["OPENAI_API_KEY", "x-api-key"],
    ],
    [
      "of every kind",
      { clientSecret: key, secretAccessKey: key, idToken: key, passwort: key, passphrase: key },
      ["clientSecret", "idToken", "passphrase", "passwort", "secretAccessKey"],
    ],
  ])("are found %s", (_, value, paths) => {
    expect(secretPaths(siteSecrets, value)).toEqual(paths);
    const { value: open, left } = leavingSecretsOut(siteSecrets, value);
    expect(left.toSorted()).toEqual(paths);
    for (const safe of [open, secretsMasked(siteSecrets, value)]) {
      expect(JSON.stringify(safe)).not.toContain(key);
      expect(secretPaths(siteSecrets, open)).toEqual([]);
    }
  });

  test.each<[string, unknown]>([
    ["flags and numbers", { hasApiKey: true, maxTokens: 1000, tokens: [1, 2], password: null }],
    ["what is empty", { apiKey: "", apiKeys: {}, token: [] }],
    [
      "other names",
      { s3Key: key, keyHash: key, passwordHint: key, tokenType: key, secretary: key, apiKeyId: key },
    ],
    ["texts that only look like JSON", { note: "{apiKey: …", list: "[1, 2]", text: '"apiKey"' }],
  ])("are not %s", (_, value) => {
    expect(secretPaths(siteSecrets, value)).toEqual([]);
    expect(leavingSecretsOut(siteSecrets, value).value).toBe(value);
    expect(secretsMasked(siteSecrets, value)).toBe(value);
  });

  it("counts a text that is nested too deep to be looked into", () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    expect(secretPaths(siteSecrets, { deep })).toEqual(["deep"]);
  });

  it("knows whole attributes of the declared items, and of no others", () => {
    const item = { openai: key, google: { model: "gemini", apiKey: key }, updatedAt: "2026-01-01" };
    for (const id of ["api-settings#global", "global", "global-settings", "api-settings#x"])
      expect(secretPaths(siteSecrets, item, id)).toEqual(["google", "openai"]);
    for (const id of ["globally", "user-1"])
      expect(secretPaths(siteSecrets, item, id)).toEqual(["google.apiKey"]);
  });
});

it("masks by length alone, also under a name that a path has", () => {
  expect(secretsMasked(siteSecrets, { ai: { apiKey: "sk-ä😀", model: "a" } })).toEqual({
    ai: { apiKey: "(secret, 5 characters)", model: "a" },
  });
  expect(secretMaskedAt(siteSecrets, ["apiKeys", "openai"], key)).toBe("(secret, 18 characters)");
  expect(secretMaskedAt(siteSecrets, ["ai"], { apiKey: key })).toEqual({ apiKey: "(secret, 18 characters)" });
  expect(secretMaskedAt(siteSecrets, ["ai"], JSON.stringify({ token: key }))).toMatch(
    /^\(secret, \d+ characters\)$/,
  );
  expect(secretMaskedAt(siteSecrets, ["apiKey"], 3)).toBe(3);
});

describe("carrying secrets", () => {
  it("puts back what was left out, where its place is still there", () => {
    const stored = { a: { apiKey: key, b: 1 }, c: { token: key } };
    expect(withSecretsOf(siteSecrets, stored, { a: { b: 2 } })).toEqual({ a: { b: 2, apiKey: key } });
    const same = { a: { apiKey: "another" } };
    expect(withSecretsOf(siteSecrets, stored, same)).toBe(same);
  });

  it("undoes leaving out, in maps of any shape", () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.dictionary(
        fc.constantFrom("a", "b", "apiKey", "token"),
        fc.oneof({ depthSize: "small" }, fc.string(), fc.integer(), tie("tree")),
      ),
    }));
    fc.assert(
      fc.property(tree, (map) => {
        const open = leavingSecretsOut(siteSecrets, map).value as Record<string, unknown>;
        expect(withSecretsOf(siteSecrets, map, open)).toEqual(map);
      }),
    );
  });
});

test("no secret is without traces in the JSON of its item", () => {
  const traces = secretTraces(siteSecrets);
  const texts = [
    { M: { apiKey: { S: key } } },
    { S: JSON.stringify({ b: JSON.stringify({ password: key }) }) },
    { userId: { S: "api-settings#global" }, openai: { S: key } },
    { userId: { S: "global" } },
  ].map((each) => JSON.stringify(each));
  expect(texts.filter((text) => !traces.test(text))).toEqual([]);
  const harmless = JSON.stringify({ s3Key: { S: "public/documents/globally/x" }, passwordHint: { S: "-" } });
  expect(traces.test(harmless)).toBe(false);
});
