import { expect, test } from "vitest";
import { writeJsonLines } from "../../src/commands/json-lines.ts";

async function written(rows: AsyncIterable<unknown> | Iterable<unknown>): Promise<string[]> {
  const texts: string[] = [];
  await writeJsonLines(rows, async (text) => void texts.push(text));
  return texts.filter((text) => text !== "");
}

test("rows that come together are written together", async () => {
  expect(await written([{ a: 1 }, { a: "ü\u009b" }])).toEqual(['{"a":1}\n{"a":"ü\\u009b"}\n']);
  expect(await written([])).toEqual([]);
});

test("a row is written before the next is waited for", async () => {
  const texts: string[] = [];
  const seen: number[] = [];
  async function* rows() {
    yield 1;
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    seen.push(texts.length);
    yield 2;
  }
  await writeJsonLines(rows(), async (text) => void texts.push(text));
  expect(seen).toEqual([1]);
  expect(texts.join("")).toBe("1\n2\n");
});

test("not more than 64 KiB and a row are held, in their order, behind a reader that is slow", async () => {
  const text = "x".repeat(1000);
  const rows = Array.from({ length: 200 }, (_, at) => ({ at, text }));
  const texts: string[] = [];
  await writeJsonLines(rows, async (part) => {
    await new Promise((resolve) => setImmediate(resolve));
    texts.push(part);
  });
  expect(Math.max(...texts.map((part) => part.length))).toBeLessThan(67_000);
  expect(texts.join("")).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});

test("what came before a failure is written", async () => {
  const texts: string[] = [];
  async function* rows() {
    yield 1;
    throw new Error("gone");
  }
  await expect(writeJsonLines(rows(), async (text) => void texts.push(text))).rejects.toThrow("gone");
  expect(texts.join("")).toBe("1\n");
});

test("a reader that went away ends it", async () => {
  async function* rows() {
    for (;;) yield await new Promise((resolve) => setImmediate(() => resolve("row")));
  }
  await expect(writeJsonLines(rows(), async () => Promise.reject(new Error("closed")))).rejects.toThrow(
    "closed",
  );
});
