import { StoreError } from "@mawps/local-aws/src/errors.ts";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tellingFaults } from "../src/store-faults.ts";
import { makeHome } from "./support/world.ts";

/** Windows lets only administrators make links. */
test.skipIf(process.platform === "win32")(
  "a folder with links is told with what to do about it",
  async () => {
    const home = await makeHome();
    try {
      const folder = join(home.folder, "other");
      await mkdir(folder);
      await writeFile(join(folder, "store.json"), '{"format": "local-aws store", "version": 1}');
      await symlink(home.folder, join(folder, "s3"));
      for (const argv of [["hero", "show"], ["local", "reset", "--yes"], ["setup"]]) {
        const { exitCode, stderr } = await home.run(argv, { env: { MAWPS_HOME: folder } });
        expect([exitCode, stderr]).toEqual([1, expect.stringContaining("s3 is a symbolic link")]);
        expect(stderr).toContain("is this folder somebody else's? nothing was changed");
      }
    } finally {
      await home.remove();
    }
  },
);

test.each([
  ["a known process", 123, "wait for it to end, or end it (kill 123), then try again"],
  ["a process that is not known", undefined, "wait for it to end, then try again"],
])("a store that is in use by %s is told with what to do about it", async (_what, pid, hint) => {
  const fault = Promise.reject(new StoreError("in-use", "the local store is in use", { pid }));
  await expect(tellingFaults(fault)).rejects.toMatchObject({ name: "CliError", hint });
});
