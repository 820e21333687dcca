import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { modelSchema } from "../../src/model/schema.ts";
import { buildProgram } from "../../src/program.ts";
import { realWorld } from "../../src/real-world.ts";
import { commandsPage, manPage, settingsPage } from "./reference.ts";

// After a change of the command tree, of the settings or of the form of models: `npm run reference`.

const root = await buildProgram(realWorld(new AbortController().signal)).tree();
const man = join(import.meta.dirname, "../../man/mawps.1");

describe("the reference is what the program says of itself", () => {
  it("docs/commands.md", async () => {
    await expect(commandsPage(root)).toMatchFileSnapshot("../../docs/commands.md");
  });

  it("docs/settings.md", async () => {
    await expect(settingsPage(root)).toMatchFileSnapshot("../../docs/settings.md");
  });

  it("man/mawps.1", async () => {
    await expect(manPage(root)).toMatchFileSnapshot("../../man/mawps.1");
  });

  it("models/model.schema.json, by which editors help and check", async () => {
    const schema = z.toJSONSchema(modelSchema, { io: "input" });
    await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(
      "../../models/model.schema.json",
    );
  });

  // groff belongs to man-db, which small images leave out.
  it.skipIf(!existsSync("/usr/bin/groff"))("the man page is one that groff takes without a word", () => {
    const { stderr, stdout } = spawnSync("/usr/bin/groff", ["-man", "-Tutf8", "-ww", man], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(stdout).toContain("hero set");
  });
});
