import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startServer } from "./database-server.ts";

const newFolder = () => mkdtemp(join(tmpdir(), "mawps-server-"));
const killsItself = "kill -9 $$";

it("a server that a signal ends before it answers is told", async () => {
  const command = ["sh", "-c", killsItself] as const;
  const folder = await newFolder();
  const start = startServer({ folder, command, ping: ["false"], urlOf: String });
  await expect(start).rejects.toThrow("the server ended with SIGKILL");
  expect(existsSync(folder)).toBe(false);
});

it("a server that a signal ended is killed and closed all the same, and again", async () => {
  const folder = await newFolder();
  const ready = join(folder, "ready");
  const server = await startServer({
    folder,
    command: ["sh", "-c", `touch "${ready}"; ${killsItself}`],
    ping: ["sh", "-c", `until [ -e "${ready}" ]; do sleep 0.01; done`],
    urlOf: String,
  });
  await server.kill();
  await server.kill();
  await server.close();
  expect(existsSync(folder)).toBe(false);
});
