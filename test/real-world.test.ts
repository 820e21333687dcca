import { PassThrough } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { realWorld } from "../src/real-world.ts";
import { collected } from "../src/text-file.ts";

afterEach(() => vi.restoreAllMocks());

it.each(["before", "while"])("ends the reading of a pipe at Ctrl-C, %s it is read", async (when) => {
  const pipe = new PassThrough();
  vi.spyOn(process, "stdin", "get").mockReturnValue(pipe as unknown as typeof process.stdin);
  const controller = new AbortController();
  if (when === "before") controller.abort();
  const reading = collected(realWorld(controller.signal).stdin, 1000);
  pipe.write("the first half of a password");
  controller.abort();
  await expect(reading).rejects.toThrow("aborted");
});
