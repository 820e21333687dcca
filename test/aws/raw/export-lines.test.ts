import { expect, test } from "vitest";
import { linesIn } from "../../../src/aws/raw/export-lines.ts";

test("a line that never ends is read no further than a line can be long", async () => {
  let chunks = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from("one\n\ntw");
    yield Buffer.from("o\n");
    for (;;) {
      chunks += 1;
      yield Buffer.alloc(1024 ** 2, "x");
    }
  }
  const lines: string[] = [];
  const read = async () => {
    for await (const batch of linesIn(endless())) lines.push(...batch.map(String));
  };
  await expect(read()).rejects.toThrow("more than 4.2 MB");
  expect(lines).toEqual(["one", "two"]);
  expect(chunks).toBe(5);
});
