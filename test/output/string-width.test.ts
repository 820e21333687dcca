import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import bundled from "../../scripts/string-width.cjs";

describe("string-width as it is in the bundle", () => {
  it("measures every letter as the library does, alone and behind another one", () => {
    const letters = Array.from({ length: 0x30_00 }, (_, code) => code).map((code) =>
      String.fromCodePoint(code),
    );
    const others = letters.filter(
      (letter) =>
        bundled(letter) !== stringWidth(letter) || bundled(`é${letter}`) !== stringWidth(`é${letter}`),
    );
    expect(others).toEqual([]);
  });

  it.each([
    "",
    "\u001B[31mred\u001B[39m, Zürich – Straße…",
    "\u001B]8;;https://example.com\u0007link\u001B]8;;\u0007",
    "\u001B[2J",
    "👩‍👩‍👧 ❤️ 5️⃣ ©️ e\u0301",
    "履歴書.pdf",
  ])("measures %j as the library does", (text) => {
    expect(bundled(text)).toBe(stringWidth(text));
  });
});
