import { assert, oneof, property, string, stringMatching } from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { StoredEntry } from "../../src/documents/entry.ts";
import { fileNames, safeFileName } from "../../src/documents/file-names.ts";
import { parseDocument } from "../../src/model/documents.ts";

describe("a document's name as a file's", () => {
  it.each([
    ["Lebenslauf.pdf", "Lebenslauf.pdf"],
    ["Zeugnis Größe (2).pdf", "Zeugnis Größe (2).pdf"],
    ["Gro\u0308ße.pdf", "Größe.pdf"],
    ["履歴書 😀.pdf", "履歴書 😀.pdf"],
    ["../../etc/passwd", "___.._etc_passwd"],
    ["..", "document"],
    [".", "document"],
    ["", "document"],
    ["   ", "document"],
    ["/etc/passwd", "_etc_passwd"],
    ["C:\\Windows\\system.ini", "C__Windows_system.ini"],
    ["..\\..\\x.pdf", "___.._x.pdf"],
    [".bashrc", "_bashrc"],
    ["a\u0000b\nc\u001B[2J.pdf", "a_b_c_[2J.pdf"],
    ["abc\u202Efdp.exe", "abc_fdp.exe"],
    ["half \uD800.pdf", "half _.pdf"],
    ["x.pdf. . ", "x.pdf"],
    ["CON", "_CON"],
    ["nul.pdf", "_nul.pdf"],
    ["com1.tar.gz", "_com1.tar.gz"],
    ["LPT².txt", "_LPT².txt"],
    ["console.txt", "console.txt"],
    ['a<b>c:d"e|f?g*h.pdf', "a_b_c_d_e_f_g_h.pdf"],
    ["x.pdf.0123456789ab.part", "x.pdf.0123456789ab.part_"],
  ])("%j becomes %j", (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  it("keeps its extension when it is too long, and no half character", () => {
    const long = safeFileName(`${"ä😀".repeat(100)}.pdf`);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(180);
    expect(long).toMatch(/^(ä😀)+ä?\.pdf$/u);
    expect(Buffer.byteLength(safeFileName(`x.${"y".repeat(400)}`))).toBe(180);
  });

  it.each([
    ["a dot", `${"x".repeat(179)}.${"y".repeat(20)}`, "x".repeat(179)],
    ["dots and blanks", `${"x".repeat(177)}. .${"y".repeat(20)}`, "x".repeat(177)],
    [
      "what makes a part file",
      `${"x".repeat(162)}.0123456789ab0.part`,
      `${"x".repeat(162)}.0123456789a.part_`,
    ],
  ])("ends with nothing odd where it is cut behind %s", (_what, name, expected) => {
    expect(safeFileName(name)).toBe(expected);
    expect(safeFileName(expected)).toBe(expected);
  });

  test("is one visible part of a path, whatever it was, and stays as it is", () => {
    const anything = oneof(
      string({ unit: "binary", maxLength: 300 }),
      stringMatching(/^[./\\ :a-cnulCON\n\t]{0,12}$/),
    );
    assert(
      property(anything, (name) => {
        const safe = safeFileName(name);
        expect(safe).not.toMatch(/[/\\\p{Cc}\p{Surrogate}]/u);
        expect(safe).not.toMatch(/^\.|[. ]$|^$/);
        expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(200);
        expect(safeFileName(safe)).toBe(safe);
      }),
      { numRuns: 2000 },
    );
  });
});

function stored(id: string, name: string, uploadedAt = "2026-01-01T00:00:00Z", index = 0): StoredEntry {
  const document = parseDocument({ id, name, uploadedAt, s3Key: `public/documents/user-1/cv/1-${id}.pdf` });
  return {
    userId: "user-1",
    place: "profile",
    index,
    bucket: "mawps-user-files-1760106396",
    raw: {},
    document,
  };
}

function named(entries: readonly StoredEntry[]): Record<string, string | undefined> {
  const names = fileNames(entries);
  return Object.fromEntries(entries.map((entry) => [entry.document.id, names.get(entry)]));
}

describe("documents of one name", () => {
  const older = stored("doc-b", "Zeugnis.pdf", "2026-01-01T00:00:00Z");
  const newer = stored("doc-a", "Zeugnis.pdf", "2026-02-01T00:00:00Z");

  it("have the same files whatever their order: the oldest the name alone, the others their id behind it", () => {
    const expected = { "doc-b": "Zeugnis.pdf", "doc-a": "Zeugnis (doc-a).pdf" };
    expect(named([older, newer])).toEqual(expected);
    expect(named([newer, older])).toEqual(expected);
    const latest = stored("doc-0", "Zeugnis.pdf", "2026-03-01T00:00:00Z");
    expect(named([latest, newer, older])).toEqual({ ...expected, "doc-0": "Zeugnis (doc-0).pdf" });
  });

  it("are told apart also where only case, the form of an umlaut, or what was made safe differs", () => {
    expect(
      named([
        stored("doc-1", "Größe.pdf"),
        stored("doc-2", "GRÖSSE.pdf"),
        stored("doc-3", "gro\u0308ße.PDF"),
        stored("doc-4", "a/b.pdf"),
        stored("doc-5", "a\\b.pdf"),
      ]),
    ).toEqual({
      "doc-1": "Größe.pdf",
      "doc-2": "GRÖSSE.pdf",
      "doc-3": "größe (doc-3).PDF",
      "doc-4": "a_b.pdf",
      "doc-5": "a_b (doc-5).pdf",
    });
  });

  it("are told apart when another is called as a file of theirs would be, and when ids are the same or no names", () => {
    const names = fileNames([
      stored("doc-1", "x (doc-2).pdf"),
      stored("doc-2", "x.pdf", "2026-01-02T00:00:00Z"),
      stored("doc-0", "x.pdf"),
      stored("../a", "x.pdf", "2026-01-03T00:00:00Z"),
      stored("doc-2", "x.pdf", "2026-01-04T00:00:00Z"),
    ]);
    expect([...names.values()].sort()).toEqual([
      expect.stringMatching(/^x \([0-9a-f]{12}\)\.pdf$/),
      "x (doc-2 2).pdf",
      "x (doc-2 3).pdf",
      "x (doc-2).pdf",
      "x.pdf",
    ]);
  });
});
