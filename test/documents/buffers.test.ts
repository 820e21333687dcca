import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buffers } from "../../src/documents/buffers.ts";

test("gives what is asked for, never the same memory twice, and never more than there is", () => {
  const step = fc.record({ sizeBytes: fc.integer({ min: 1, max: 700_000 }), release: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const limitBytes = 2 * 1024 ** 2;
      const memory = buffers(limitBytes);
      const held: Buffer[] = [];
      for (const { sizeBytes, release } of steps) {
        const taken = memory.take(sizeBytes);
        // Undefined is an answer only while others have the memory.
        expect(taken !== undefined || held.length > 0).toBe(true);
        expect(taken?.byteLength ?? sizeBytes).toBe(sizeBytes);
        if (taken !== undefined) held.push(taken);
        const oldest = release ? held.shift() : undefined;
        if (oldest !== undefined) memory.release(oldest);
        expect(new Set(held.map(({ buffer }) => buffer)).size).toBe(held.length);
        expect(held.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)).toBeLessThanOrEqual(limitBytes);
      }
    }),
  );
});

test("takes memory of other sizes away where there is no room else", () => {
  const memory = buffers(1024 ** 2);
  const small = Array.from({ length: 16 }, () => memory.take(64 * 1024));
  expect(memory.take(1)).toBeUndefined();
  for (const each of small) if (each !== undefined) memory.release(each);
  expect(memory.take(1024 ** 2)?.byteLength).toBe(1024 ** 2);
});
