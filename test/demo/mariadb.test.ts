import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { noMariadb, ownServerHint, startMariadb } from "../../src/demo/mariadb.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test.skipIf(noMariadb !== undefined)(
  "one that does not start is told with a way on, and leaves nothing",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "mawps-demo-"));
    try {
      vi.stubEnv("TMPDIR", folder);
      // Nothing is found there that could make its files.
      vi.stubEnv("PATH", folder);
      await expect(startMariadb(new AbortController().signal)).rejects.toMatchObject({
        name: "CliError",
        message: expect.stringContaining("mariadb-install-db"),
        hint: ownServerHint,
      });
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
