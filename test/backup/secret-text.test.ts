import { describe, expect, it } from "vitest";
import { keyText, passphraseIn } from "../../src/backup/secret-text.ts";

describe("a passphrase", () => {
  it.each([
    ["as it is", "geheim"],
    ["with a line break behind it", "geheim\n"],
    ["with that of Windows", "geheim\r\n"],
    ["with several", "geheim\n\n"],
  ])("is the same secret %s", (_, text) => {
    expect(passphraseIn(text, "the file")).toBe("geheim");
  });

  it("keeps blanks, which somebody may have meant", () => {
    expect(passphraseIn(" ge heim \n", "the file")).toBe(" ge heim ");
  });

  it.each([
    ["several lines", "geheim\nanother\n", "has several lines"],
    ["an empty line first", "\ngeheim", "begins with an empty line"],
    ["nothing", "", "begins with an empty line"],
    ["a byte order mark", "\uFEFFgeheim\n", "begins with a byte order mark"],
  ])("is none with %s, and that is said without the secret", (_, text, why) => {
    const read = () => passphraseIn(text, "the file");
    expect(read).toThrow(`the file ${why}`);
    expect(read).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("geheim") as string }),
    );
  });
});

it.each([
  [
    "of age",
    Buffer.concat([Buffer.from("age-encryption.org/v1\n-> X25519 x\n--- y\n"), Buffer.from([0, 1, 255])]),
  ],
  ["of age as text", Buffer.from("-----BEGIN AGE ENCRYPTED FILE-----\n")],
])("a file with a key that is itself encrypted is named, whatever its bytes: %s", (_, bytes) => {
  expect(() => keyText(bytes, "id.age")).toThrow("id.age is itself encrypted");
});

it.each([
  ["UTF-16 with its mark", Buffer.from("\uFEFFAGE-SECRET-KEY-1", "utf16le")],
  ["UTF-16 without", Buffer.from("AGE-SECRET-KEY-1", "utf16le")],
])("a file with a key in %s is named", (_, bytes) => {
  expect(() => keyText(bytes, "id.txt")).toThrow("id.txt is in UTF-16");
});
