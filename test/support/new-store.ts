import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { resolve } from "../../src/config/config.ts";
import { connectTarget } from "../../src/target.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of a local store as the first writing command makes it: everything is declared, nothing is in it. */
    newStore: string;
  }
}

/** Vitest's global set-up: makes the store that the tests' homes begin with, which takes three times as long as most commands. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-test-new-"));
  const store = join(folder, "store");
  const { config } = resolve({}, { MAWPS_HOME: store }, undefined);
  const { signal } = new AbortController();
  // Before any test begins.
  const now = () => new Date("2026-03-01T11:00:00.000Z");
  await (await connectTarget(config, "writes", { cwd: folder, now, signal, env: {} })).close();
  project.provide("newStore", store);
  return () => rm(folder, { recursive: true });
}
