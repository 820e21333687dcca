import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ledgerEntry } from "../../src/backup/erasures.ts";
import { placeOfReceipt, writeBegunReceipt } from "../../src/users/receipt-file.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "mawps-receipt-"));
});
afterEach(() => rm(cwd, { recursive: true }));

const now = new Date("2026-03-01T12:00:00.000Z");
const begun = (id: string) =>
  JSON.stringify({
    format: 1,
    erasedAt: now.toISOString(),
    person: [ledgerEntry(id, "00ff", now)],
    isComplete: false,
    audit: { sequence: 0, hash: "" },
  });
const other = "receipt-20260301T120000Z.json";

it.each([
  ["an empty folder", {}, "receipt.json"],
  ["a receipt of theirs that is not done", { "receipt.json": begun("user-1") }, "receipt.json"],
  ["a receipt of somebody else", { "receipt.json": begun("user-12") }, other],
  ["something else", { "receipt.json": "{}" }, other],
  [
    "somebody else's and one of theirs that was begun beside it",
    { "receipt.json": begun("user-12"), "receipt-20260201T000000Z.json": begun("user-1") },
    "receipt-20260201T000000Z.json",
  ],
  ["something else where its page goes", { "receipt.html": "" }, other],
])("in %s the receipt is put where it replaces nothing", async (_name, files, expected) => {
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  const place = { cwd, given: undefined, now };
  const { file } = await placeOfReceipt(place, ["user-1"]);
  expect(file).toBe(join(cwd, expected));
  const written = await writeBegunReceipt(place, ["user-1"], [ledgerEntry("user-1", "00ff", now)]);
  expect(written).toBe(file);
  const left = Object.entries<string>(files).filter(([name]) => join(cwd, name) !== file);
  for (const [name, text] of left) expect(await readFile(join(cwd, name), "utf8")).toBe(text);
});

it("replaces nothing that came while somebody was asked", async () => {
  const place = { cwd, given: undefined, now };
  expect((await placeOfReceipt(place, ["user-1"])).file).toBe(join(cwd, "receipt.json"));
  await writeFile(join(cwd, "receipt.json"), begun("user-12"));
  const person = [ledgerEntry("user-1", "00ff", now)];
  expect(await writeBegunReceipt(place, ["user-1"], person)).toBe(join(cwd, other));
  expect(await readFile(join(cwd, "receipt.json"), "utf8")).toBe(begun("user-12"));
  const given = { ...place, given: "receipt.json" };
  await expect(writeBegunReceipt(given, ["user-1"], person)).rejects.toThrow("already exists");
  expect(await readFile(join(cwd, "receipt.json"), "utf8")).toBe(begun("user-12"));
});

it("takes no name that is something else's where it was asked for", async () => {
  await writeFile(join(cwd, "mine.html"), "");
  await expect(placeOfReceipt({ cwd, given: "mine.json", now }, ["user-1"])).rejects.toThrow(
    "mine.html already exists",
  );
});
