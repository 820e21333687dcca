import { expect, it } from "vitest";
import { expiryOption } from "../../../src/commands/doc/options.ts";

it.each(["0d", "9999999d", "5y", "nonsense", "2026-02-30", ""])(
  "says what it takes in place of %j",
  (text) => {
    expect(() => expiryOption(text)).toThrow(
      "expected a time span from 1 to 99999 of s, m, h, d or w (30d), a day (2027-01-31) or a time to come.",
    );
  },
);
