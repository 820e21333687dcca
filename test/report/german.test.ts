import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { inGerman, translated } from "../../src/report/german.ts";
import { wordsOf } from "../../src/report/words.ts";

it.each([
  [
    "what stands in a place is looked up as well",
    "public access block: nothing blocked; should be: all blocked",
    "Sperre gegen die Öffentlichkeit: nichts gesperrt; soll sein: alles gesperrt",
  ],
  [
    "partitions are several",
    "partitions of logs: missing (p2027, p2028)",
    "Partitionen von logs: nicht vorhanden (p2027, p2028)",
  ],
  ["commands stay", "mawps setup --fix", "mawps setup --fix"],
  [
    "what others said stays",
    "User: arn:aws:iam::1:user/a is not authorized",
    "User: arn:aws:iam::1:user/a is not authorized",
  ],
])("%s", (_name, english, german) => {
  expect(inGerman(english)).toBe(german);
});

it("the tool still says what is translated", () => {
  const files = ["doctor", "model", "setup"].flatMap((folder) =>
    readdirSync(join("src", folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join("src", folder, file)),
  );
  const source = files
    .map((file) => readFileSync(file, "utf8"))
    .join("\n")
    .replaceAll(/\\(.)/g, "$1");
  // What is put together of parts is there clause by clause, or where it is short word by word.
  const isSaid = (piece: string) => {
    const words = piece.split(/[^\w:'-]+/);
    return words.length > 12
      ? piece.split(/, |: /).every((clause) => source.includes(clause))
      : words.every((word) => source.includes(word.replace(/:$/, "")));
  };
  const pieces = translated.flatMap((text) => text.split(/\{\w\}/));
  expect(pieces.filter((piece) => !isSaid(piece))).toEqual([]);
});

it("the rules that have a German name are those of MAWPS's model", () => {
  const model = readFileSync("models/mawps.json", "utf8");
  const unknown = Object.keys(wordsOf("de").rules).filter((rule) => !model.includes(`"${rule}"`));
  expect(unknown).toEqual([]);
});
