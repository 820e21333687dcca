import { describe, expect, it } from "vitest";
import { begunAhead } from "../src/concurrency.ts";

async function* counted(steps: string[], until: number): AsyncGenerator<number> {
  try {
    for (let number = 1; number <= until; number += 1) {
      steps.push(`made ${number}`);
      yield number;
    }
  } finally {
    steps.push("ended");
  }
}

describe("what is begun ahead", () => {
  it("asks for the first value at once, and for no other before it is wanted", async () => {
    const steps: string[] = [];
    const values = begunAhead(counted(steps, 3));
    expect(steps).toEqual(["made 1"]);
    const read: number[] = [];
    for await (const value of values) {
      steps.push(`read ${value}`);
      read.push(value);
    }
    expect(read).toEqual([1, 2, 3]);
    expect(steps).toEqual(["made 1", "read 1", "made 2", "read 2", "made 3", "read 3", "ended"]);
  });

  it("ends its source when the reader stops early", async () => {
    const steps: string[] = [];
    for await (const value of begunAhead(counted(steps, 3))) if (value === 2) break;
    expect(steps).toEqual(["made 1", "made 2", "ended"]);
  });

  it("passes an error on where its value would have come, and troubles nobody before", async () => {
    // oxlint-disable-next-line require-yield -- a source that fails before its first value
    const failing = (async function* (): AsyncGenerator<number> {
      throw new Error("no such bucket");
    })();
    const values = begunAhead(failing);
    await new Promise((done) => setImmediate(done));
    await expect(values.next()).rejects.toThrow("no such bucket");
  });
});
