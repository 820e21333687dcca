import { expect, test } from "vitest";
import { withoutList } from "../scripts/rooms.mjs";

const list = { "no-restricted-imports": ["error", { patterns: [{ group: ["**", "!./**"] }] }] };
const ban = { "no-restricted-imports": ["error", { patterns: [{ group: ["commander"] }] }] };

test.each([
  ["a list of its own", { files: ["src/hero/**"], rules: list }, []],
  ["the list of the folder above", { files: ["src/hero/**"], rules: list }, []],
  ["only things that are banned", { files: ["src/hero/**"], rules: ban }, ["src/hero"]],
  ["a list of all of src", { files: ["src/**"], rules: list }, ["src/hero"]],
  ["no list", { files: ["src/avatar/**"], rules: list }, ["src/hero"]],
])("a folder with %s", (_what, override, missing) => {
  const root = { files: ["src/*.ts"], rules: list };
  const folders = ["src", "src/hero"];
  expect(withoutList({ overrides: [root, override] }, folders)).toEqual(missing);
});

test("the files of src itself need a list, and a folder within one with a list needs none", () => {
  const overrides = [{ files: ["src/hero/**"], rules: list }];
  expect(withoutList({ overrides }, ["src", "src/hero", "src/hero/old"])).toEqual(["src"]);
});
