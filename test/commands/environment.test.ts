import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

test.each(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])(
  "a line break in %s is wrong usage, told without the value",
  async (name) => {
    const { exitCode, stderr } = await home.run(["--target", "aws", "hero", "show"], {
      env: { [name]: "secret\n" },
    });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: `error: ${name}: holds a blank, a line break or another character that no key has\nhint: set it again without what was pasted or read along with it\n`,
    });
    expect(home.calls).toEqual([]);
  },
);

test.each([["doc list u1"], ["setup --yes"], ["local reset --yes"]])(
  "a MAWPS_HOME that is a file, or lies below one, is told as such: %s",
  async (line) => {
    const file = join(home.folder, "file");
    await writeFile(file, "mine");
    for (const [folder, told] of [
      [file, "the local store is a folder"],
      [join(file, "a", "b"), `${join(file, "a", "b")} cannot be in it`],
    ] as const) {
      const { exitCode, stderr } = await home.run(line.split(" "), { env: { MAWPS_HOME: folder } });
      expect(stderr).toContain(`error: ${file} is a file: ${told}`);
      expect(exitCode).toBe(2);
    }
  },
);

test("a file name that is not UTF-8, as Node hands it on, is told with what to do about it", async () => {
  const { exitCode, stderr } = await home.run([
    "doc",
    "upload",
    "u1",
    "Gr\uFFFD\uFFFDe.txt",
    "--type",
    "cv",
    "--create-profile",
  ]);
  expect([exitCode, stderr]).toEqual([
    1,
    expect.stringContaining("Gr\uFFFD\uFFFDe.txt: there is no such file"),
  ]);
  expect(stderr).toContain("a file whose name is not UTF-8 cannot be named here: rename it first");
});
