import { describe, expect, it } from "vitest";
import { bytes } from "../../src/output/bytes.ts";
import { csvLine } from "../../src/output/csv.ts";
import { duration, localTime } from "../../src/output/dates.ts";
import { withoutSecrets } from "../../src/output/secrets.ts";
import { facts, table } from "../../src/output/table.ts";
import { count, json, visible } from "../../src/output/text.ts";

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 KB"],
    [1549, "1.5 KB"],
    [99_949, "99.9 KB"],
    [99_950, "100 KB"],
    [999_499, "999 KB"],
    [999_500, "1.0 MB"],
    [24_100_000, "24.1 MB"],
    [5_000_000_000_000, "5.0 TB"],
    [5e15, "5000 TB"],
  ])("shows %d as %s", (size, text) => expect(bytes(size)).toBe(text));
});

describe("duration", () => {
  it.each([
    [400, "0.4 s"],
    [9949, "9.9 s"],
    [12_000, "12 s"],
    [180_000, "3 min"],
    [5 * 3_600_000, "5 h"],
    [12 * 86_400_000, "12 days"],
  ])("shows %d ms as %s", (ms, text) => expect(duration(ms)).toBe(text));
});

describe("visible", () => {
  it.each([
    ["an escape sequence", "\u001B[31mred", "\\x1b[31mred"],
    ["line breaks", "a\nb\r\n", "a\\x0ab\\x0d\\x0a"],
    ["a reversed file name", "cv\u202Efdp.exe", "cv\\u202efdp.exe"],
    ["umlauts and emoji as they are", "Lebensläufe 🚀", "Lebensläufe 🚀"],
  ])("shows %s", (_name, given, shown) => expect(visible(given)).toBe(shown));
});

describe("json", () => {
  it("escapes what would steer a terminal, and is read back as it was", () => {
    const value = { name: "a\u007F\u009B31m\u202Eb\u2028\n\u001B", list: [1, "ä🚀"] };
    const text = json(value, 2);
    expect(text.replaceAll("\n", "")).toMatch(/^[\x20-\x7Eä🚀]+$/u);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe("csvLine", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["\n=1+1", '"\'\n=1+1"'],
    ["＝1+1", "'＝1+1"],
    ["＋1", "'＋1"],
    ["－1", "'－1"],
    ["＠a", "'＠a"],
    ["a=1", "a=1"],
  ])("writes %j so that no spreadsheet calculates it", (given, cell) => {
    expect(csvLine([given, -1])).toBe(`${cell},-1\r\n`);
  });
});

describe("withoutSecrets", () => {
  it.each([
    ["a password in an address", "cannot reach https://me:pass@host/a", "cannot reach https://***@host/a"],
    [
      "a signed link",
      "https://b/k?X-Amz-Credential=AKIA%2F2026&X-Amz-Security-Token=abc%2F&X-Amz-Signature=0f0f&x=1",
      "https://b/k?X-Amz-Credential=***&X-Amz-Security-Token=***&X-Amz-Signature=***&x=1",
    ],
    ["a header", '{"x-amz-security-token":"abc/+=","a":1}', '{"x-amz-security-token":"***","a":1}'],
    ["a key that is known", "the key is one/two+three.", "the key is ***."],
    ["an address in a mail's text as it is", "write to me@example.com", "write to me@example.com"],
  ])("hides %s", (_name, given, left) => {
    expect(withoutSecrets(given, { AWS_SECRET_ACCESS_KEY: "one/two+three" })).toBe(left);
  });
});

describe("table", () => {
  it("lines columns up by display width and makes foreign control characters visible", async () => {
    const rows = [
      { name: "Größe 🚀", size: 1 },
      { name: "a\u001B[2J", size: 12 },
    ];
    const text = await table(rows, [
      { title: "NAME", cell: ({ name }) => name },
      { title: "SIZE", cell: ({ size }) => String(size), align: "right" },
    ]);
    expect(text).toBe(["NAME      SIZE", "Größe 🚀     1", "a\\x1b[2J    12"].join("\n"));
  });
});

it("lines facts up and leaves out what is not known", () => {
  expect(
    facts([
      ["a", "1"],
      ["longer", undefined],
      ["bc", "2"],
    ]),
  ).toBe("a   1\nbc  2");
});

it("counts in words", () => {
  const many = [0, 999, 1200, 123_456, 1_234_567].map((number) => count(number, "entry", "entries"));
  expect([count(1, "step"), count(2, "step"), ...many]).toEqual([
    "1 step",
    "2 steps",
    "0 entries",
    "999 entries",
    "1,200 entries",
    "123,456 entries",
    "1,234,567 entries",
  ]);
});

it("shows local time in the order that sorts", () => {
  expect(localTime(new Date(2026, 2, 1, 9, 5, 7))).toBe("2026-03-01 09:05:07");
});
