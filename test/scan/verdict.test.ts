import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge, notScanned, type Failure } from "../../src/scan/verdict.ts";

const engine = "ClamAV 1.4.6/27461/Fri Nov 20 09:31:00 2026";
const ok = "stream: OK\0";

/** Texts near the one that is clean, and texts made of what clamd says. */
const texts = fc.oneof(
  fc.constant(ok),
  fc.string({ unit: "binary-ascii", maxLength: 60 }),
  fc
    .array(fc.constantFrom(ok, "stream: ", "OK", "\0", "\n", "Some.Name FOUND\0", " ERROR\0", "1: "), {
      maxLength: 8,
    })
    .map((parts) => parts.join("")),
  fc
    .tuple(fc.nat(ok.length), fc.nat(3), fc.string({ unit: "binary-ascii", maxLength: 2 }))
    .map(([at, cut, put]) => ok.slice(0, at) + put + ok.slice(at + cut)),
);
const failures = fc.record<Failure>({
  reason: fc.constantFrom("engine-down", "timeout", "dropped", "unknown-answer"),
  detail: fc.constant("something"),
});

describe("a reply of clamd", () => {
  test("is clean when it is the one answer, and never otherwise", () => {
    fc.assert(
      fc.property(texts, fc.option(failures, { nil: undefined }), (text, failure) => {
        const { result } = judge({ text, failure }, engine);
        expect(result === "CLEAN").toBe(text === ok && failure === undefined);
      }),
      { numRuns: 5000 },
    );
  });

  test("is never clean from an engine of unknown version", () => {
    const unknown = notScanned("timeout", "clamd did not answer");
    expect(judge({ text: ok, failure: undefined }, unknown)).toEqual(unknown);
    fc.assert(
      fc.property(texts, (text) => {
        expect(judge({ text, failure: undefined }, unknown).result).not.toBe("CLEAN");
      }),
    );
  });

  test("that names a signature is an infection, whatever stands around it", () => {
    fc.assert(
      fc.property(texts, texts, fc.option(failures, { nil: undefined }), (before, after, failure) => {
        const text = `${before}\0stream: Real.Name FOUND\0${after}`;
        expect(judge({ text, failure }, engine).result).toBe("INFECTED");
      }),
    );
  });

  test("says in one printable line why nothing is known", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const verdict = judge({ text, failure: undefined }, engine);
        const words = "detail" in verdict ? verdict.detail : "nothing to explain";
        expect(words).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });
});
