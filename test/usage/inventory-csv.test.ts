import fc from "fast-check";
import { expect, it } from "vitest";
import { csvReader } from "../../src/usage/inventory-csv.ts";
import { UnlikeManifest } from "../../src/usage/inventory-manifest.ts";
import type { Piece } from "../../src/usage/sums.ts";

const fields = ["Bucket", "Key", "IsLatest", "IsDeleteMarker", "Size", "StorageClass", "ObjectOwner"];

/** Read in parts that end behind so many bytes. */
function read(text: string, ends: readonly number[] = []): Piece[] {
  const bytes = Buffer.from(text);
  const reader = csvReader(fields);
  const cuts = [0, ...ends.toSorted((one, other) => one - other), bytes.byteLength];
  const parts = cuts.slice(1).map((end, at) => bytes.subarray(cuts[at], end));
  return [...parts.flatMap((part) => reader.read(part)), ...reader.end()];
}

function told({ key, part, bytes, storageClass }: Piece) {
  return [key, part, bytes, storageClass];
}

it("lines are read as they come, wherever they are cut", () => {
  const line = fc.record({
    key: fc.string({ unit: "binary", minLength: 1 }),
    part: fc.constantFrom("objects", "noncurrent", "markers"),
    bytes: fc.nat(),
  });
  const parts = fc.array(fc.nat({ max: 2000 }), { maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      parts,
      fc.constantFrom("\n", "\r\n"),
      (lines, ends, newline) => {
        const text = lines
          .map(({ key, part, bytes }) => {
            const [latest, marker] = [part === "objects", part === "markers"];
            const rest = marker ? ["", ""] : [bytes, "GLACIER"];
            const values = ["b", encodeURIComponent(key), latest, marker, ...rest, ""];
            return values.map((value) => `"${value}"`).join(",") + newline;
          })
          .join("");
        const length = Buffer.byteLength(text);
        const found = read(
          text,
          ends.filter((end) => end < length),
        );
        expect(found.map(told)).toEqual(
          lines.map(({ key, part, bytes }) =>
            part === "markers" ? [key, part, 0, undefined] : [key, part, bytes, "GLACIER"],
          ),
        );
      },
    ),
    { numRuns: 40 },
  );
});

it.each([
  ["without quotes", "b,a%2Fb+c,true,false,7,STANDARD,\n"],
  ["with quotes within", '"b","a%2Fb+c","true","false","7","STANDARD","{""x"":1,""y"":"","",""}"\n'],
  ["without an end", '"b","a%2Fb+c","true","false","7","STANDARD",""'],
])("a line %s is read too", (_name, text) => {
  expect(read(text).map(told)).toEqual([["a/b c", "objects", 7, "STANDARD"]]);
});

it.each([
  ["with a field too few", '"b","a","true","false","7","STANDARD"\n'],
  ["with a field too many", '"b","a","true","false","7","STANDARD","",""\n'],
  ["whose size is no number", '"b","a","true","false","7 MB","STANDARD",""\n'],
])("a line %s is refused", (_name, text) => {
  expect(() => read(text)).toThrow(/a line has other fields|a size is no number of bytes/);
});

it.each([
  ["a quote without an end", '"b","a,true\n'],
  ["no end of a line", `"b","${"a".repeat(100_000)}`],
])("%s is no inventory", (_name, text) => {
  expect(() => read(text)).toThrow(UnlikeManifest);
});
