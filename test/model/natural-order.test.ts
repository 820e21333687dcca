import * as fc from "fast-check";
import { expect, test } from "vitest";
import { naturalOrder } from "../../src/model/natural-order.ts";

test.each([
  [
    ["step-10", "step-2", "step-1"],
    ["step-1", "step-2", "step-10"],
  ],
  [
    ["b", "a10", "a9", "a"],
    ["a", "a9", "a10", "b"],
  ],
  [
    ["v1.10", "v1.9.1", "v1.9"],
    ["v1.9", "v1.9.1", "v1.10"],
  ],
  [
    ["7", "007", "07", "6"],
    ["6", "007", "07", "7"],
  ],
  [
    ["9007199254740993", "9007199254740992"],
    ["9007199254740992", "9007199254740993"],
  ],
])("sorts %j by their numbers", (names, expected) => {
  expect(names.toSorted(naturalOrder)).toStrictEqual(expected);
});

test("is a total order", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "B", "-", "0", "1", "9"), maxLength: 6 });
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(Math.sign(naturalOrder(a, b))).toBe(-Math.sign(naturalOrder(b, a)) || 0);
      expect(naturalOrder(a, b) === 0).toBe(a === b);
      const [least, middle, most] = [a, b, c].toSorted(naturalOrder);
      expect(
        [naturalOrder(least ?? "", middle ?? ""), naturalOrder(least ?? "", most ?? "")].every(
          (order) => order <= 0,
        ),
      ).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
