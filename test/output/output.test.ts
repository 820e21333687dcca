import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { beyond, bytes } from "../../src/model/bytes.ts";
import { asideText } from "../../src/output/aside.ts";
import { csvLine } from "../../src/output/csv.ts";
import { duration, localTime } from "../../src/output/dates.ts";
import { withoutSecrets } from "../../src/output/secrets.ts";
import { facts, folded, listLine, table } from "../../src/output/table.ts";
import { count, json, visible, visibleLines } from "../../src/output/text.ts";

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
    ["a password with an @", "cannot reach http://u:p@ss@host", "cannot reach http://***@host"],
    [
      "the example of a hint",
      "put mysql://user:password@host/crm there",
      "put mysql://user:password@host/crm there",
    ],
    [
      "who is called so",
      "cannot reach mysql://user:password@hosts/crm",
      "cannot reach mysql://***@hosts/crm",
    ],
    [
      "a list of headers",
      '{"x-amz-security-token":["0123456789abcdef"]}',
      '{"x-amz-security-token":["***"]}',
    ],
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
    const text = await table(
      rows,
      [
        { title: "NAME", cell: ({ name }) => name },
        { title: "SIZE", cell: ({ size }) => String(size), align: "right" },
      ],
      { columns: 80, fits: false, color: false },
    );
    expect(text).toBe(["NAME      SIZE", "Größe 🚀     1", "a\\x1b[2J    12"].join("\n"));
  });
});

describe("a table on a terminal", () => {
  const rows = [
    {
      id: "doc-4f9c2a1b7d0e6f35",
      name: `Lebenslauf ${"Müller ".repeat(20)}final.pdf`,
      at: "2026-03-01 12:00:00",
    },
    { id: "doc-0000000000000001", name: "履歴書🚀".repeat(20), at: "2026-03-02 12:00:00" },
    { id: "doc-0000000000000002", name: "cv.pdf", at: "2026-03-03 12:00:00" },
  ];
  const columns = [
    { title: "ID", cell: ({ id }: (typeof rows)[number]) => id },
    { title: "NAME", cell: ({ name }: (typeof rows)[number]) => name, least: 8 },
    { title: "AT", cell: ({ at }: (typeof rows)[number]) => at },
  ];
  const draw = (width: number, fits = true) => table(rows, columns, { columns: width, fits, color: false });

  it.each([60, 80, 100, 200])("fits %d columns, with ids and dates whole", async (width) => {
    const text = await draw(width);
    const lines = text.split("\n");
    expect(lines).toHaveLength(4);
    expect(lines.map((line) => stringWidth(line)).filter((each) => each > width)).toEqual([]);
    expect(lines.slice(1).map((line) => line.slice(0, 20))).toEqual(rows.map(({ id }) => id));
    expect(lines.slice(1).map((line) => line.slice(-19))).toEqual(rows.map(({ at }) => at));
    // The dates begin in one column, by display width.
    expect(new Set(lines.slice(1).map((line) => stringWidth(line))).size).toBe(1);
    expect(text).toMatch(/Leb.*….*\.pdf/);
  });

  it("is a block a row where even that does not fit", async () => {
    const [block] = (await draw(50)).split("\n\n");
    expect(block?.split("\n")).toEqual([
      "ID    doc-4f9c2a1b7d0e6f35",
      `NAME  ${rows[0]?.name}`,
      "AT    2026-03-01 12:00:00",
    ]);
  });

  it("shortens nothing elsewhere", async () => {
    const text = await draw(60, false);
    expect(rows.filter(({ name }) => !text.includes(name))).toEqual([]);
  });

  describe("with sentences", () => {
    const told = [
      { check: "bucket", of: "manuel-weiss-public-media", finding: "as declared" },
      { check: "scan", of: "clamd", finding: "no scanner is configured: documents are taken unscanned" },
      { check: "node", of: "v20", finding: "" },
    ];
    const drawn = async (width: number, sentence = (text: string) => text) =>
      (
        await table(
          told,
          [
            { title: "CHECK", cell: ({ check }) => check },
            { title: "OF", cell: ({ of }) => of },
            { title: "FINDING", cell: ({ finding }) => sentence(finding), folds: true },
          ],
          { columns: width, fits: true, color: false },
        )
      ).split("\n");

    it("has them whole where they fit", async () => {
      expect(await drawn(100)).toHaveLength(4);
    });

    it("goes on below in their column, between two words", async () => {
      expect(await drawn(60)).toEqual([
        "CHECK   OF                         FINDING",
        "bucket  manuel-weiss-public-media  as declared",
        "scan    clamd                      no scanner is configured:",
        "                                   documents are taken",
        "                                   unscanned",
        "node    v20",
      ]);
    });

    it.each([
      ["where their column is too narrow", 50, (text: string) => text],
      ["where a word is wider than it", 60, (text: string) => text.replaceAll(" ", "_").replace("_", " ")],
    ])("goes on below the row %s", async (_where, width, sentence) => {
      const lines = await drawn(width, sentence);
      expect(lines.slice(0, 3)).toEqual([
        "CHECK   OF",
        "bucket  manuel-weiss-public-media",
        "    as declared",
      ]);
      expect(lines[3]).toBe("scan    clamd");
      expect(lines.at(-1)).toBe("node    v20");
      expect(lines.slice(4, -1).join(" ").replaceAll(/ +/g, " ").trim()).toBe(
        sentence(told[1]?.finding ?? ""),
      );
    });
  });

  it("keeps the order of many rows, in columns that stay in line", async () => {
    const many = Array.from({ length: 250 }, (_, at) => ({
      id: `doc-${at}`,
      name: "x".repeat(at),
      at: "now",
    }));
    const lines = (await table(many, columns, { columns: 80, fits: true, color: false })).split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["ID", ...many.map(({ id }) => id)]);
    expect(new Set(lines.slice(1).map((line) => line.lastIndexOf("now"))).size).toBe(1);
  });

  it("says by colour what the words say, where colours are shown", async () => {
    const toned = [{ title: "STATUS", cell: () => "INFECTED", tone: () => "bad" as const }];
    const layout = { columns: 80, fits: true };
    expect(await table([1], toned, { ...layout, color: true })).toBe("STATUS\n\u001B[31mINFECTED\u001B[39m");
    expect(await table([1], toned, { ...layout, color: false })).toBe("STATUS\nINFECTED");
  });
});

describe("listLine", () => {
  const line =
    "2026-03-01 12:00:00  document.uploaded  user-1 key=public/documents/user-1/cv/1795983390216-59f47ab0.txt";

  it("goes on below, indented, with every word whole", async () => {
    expect(listLine(line, { columns: 60, fits: true, color: false }).split("\n")).toEqual([
      "2026-03-01 12:00:00  document.uploaded  user-1",
      "    key=public/documents/user-1/cv/1795983390216-59f47ab0.txt",
    ]);
  });

  it("stays one line elsewhere, and where it fits", async () => {
    expect(listLine(line, { columns: 60, fits: false, color: false })).toBe(line);
    expect(listLine(line, { columns: 120, fits: true, color: false })).toBe(line);
  });
});

describe("asideText", () => {
  const text = "nobody has said `mawps config trust` for /work/a-long-folder/with/a/file.json, or for über";

  it("goes on below, indented, and breaks neither a path nor a command in backticks", () => {
    const told = asideText(text, { columns: 30, fits: true, color: false }, { label: "error:", tone: "bad" });
    expect(told.split("\n")).toEqual([
      "error: nobody has said",
      "  `mawps config trust` for",
      "  /work/a-long-folder/with/a/file.json,",
      "  or for über",
      "",
    ]);
  });

  it("is coloured at its label alone", () => {
    const told = asideText(
      "one two",
      { columns: 11, fits: true, color: true },
      { label: "hint:", tone: "dim" },
    );
    expect(told).toBe("\u001B[2mhint:\u001B[22m one\n  two\n");
  });

  it("stays one line elsewhere", () => {
    expect(asideText(text, { columns: 30, fits: false, color: false })).toBe(`${text}\n`);
    expect(asideText("", { columns: 30, fits: true, color: false })).toBe("\n");
  });
});

describe("folded", () => {
  const on = { columns: 40, fits: true, color: false };

  it("goes on below a value whose name is painted with its blanks", async () => {
    const [name, value] = ["\u001B[32m+ database  \u001B[39m", "at /run/s.sock, database lopez"];
    expect(folded(`  ${name}  ${value}`, { ...on, color: true })).toBe(
      `  ${name}  at /run/s.sock, database\n${" ".repeat(16)}lopez`,
    );
  });

  it.each([
    ["short", "name  value", ["name  value"]],
    [
      "with a name and a value",
      "backups   1 hold the person until they are pruned; restores leave them out",
      [
        "backups   1 hold the person until they",
        "          are pruned; restores leave",
        "          them out",
      ],
    ],
    [
      "without a name",
      "  Manuel Weiss Professional Services: a website",
      ["  Manuel Weiss Professional Services: a", "    website"],
    ],
    [
      "with a name that leaves no room",
      "profile, progress, document entries  1 item of 3",
      ["profile, progress, document entries  1", "  item of 3"],
    ],
    [
      "with an address, which stays whole",
      "hover  http://127.0.0.1:9700/public/profile-images/owner.jpg and more",
      ["hover  http://127.0.0.1:9700/public/profile-images/owner.jpg", "       and more"],
    ],
    ["of wide letters", `a  ${"日本 ".repeat(8)}`, [`a  ${"日本 ".repeat(7).trimEnd()}`, "   日本"]],
  ])("goes on below between two words: %s", async (_what, line, lines) => {
    expect(folded(line, on).split("\n")).toEqual(lines);
    expect(folded(line, { ...on, fits: false })).toBe(line);
  });
});

it("lets through the colours of our own alone", () => {
  const text = `\u001B[31mred\u001B[39m \u001B[2J\u001B[8mhidden\nnext`;
  expect(visibleLines(text, { color: true })).toBe("\u001B[31mred\u001B[39m \\x1b[2J\\x1b[8mhidden\nnext");
  expect(visibleLines(text)).toBe("\\x1b[31mred\\x1b[39m \\x1b[2J\\x1b[8mhidden\nnext");
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

it.each([
  [40_000_016, 5_000_000, "40.0 MB; at most 5.0 MB"],
  [2000, 1999, "2000 B; at most 1999 B"],
])("a size of %i beyond the limit of %i is told as %s", (size, most, told) => {
  expect(beyond(size, most)).toBe(told);
});
