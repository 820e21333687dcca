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

test.each([["doc list u1"], ["setup --yes"]])(
  "a MAWPS_HOME that is a file is told as such: %s",
  async (line) => {
    const file = join(home.folder, "file");
    await writeFile(file, "mine");
    const { exitCode, stderr } = await home.run(line.split(" "), { env: { MAWPS_HOME: file } });
    expect(stderr).toContain(`error: ${file} is a file: the local store is a folder`);
    expect(exitCode).toBe(2);
  },
);
