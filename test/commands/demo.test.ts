import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { noMariadb } from "../support/database-server.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

it("leaves the demo's files and store in a folder of its own when asked to, and takes no other", async () => {
  const first = await home.run(["demo", "--keep", "it's kept"]);
  expect(first).toMatchObject({ exitCode: 0 });
  expect(first.stdout).toContain(
    `MAWPS_HOME='${join(home.folder, String.raw`it'\''s kept`, "store")}' mawps local serve`,
  );
  const files = await readdir(join(home.folder, "it's kept"));
  expect(files.toSorted()).toEqual([
    "Lebenslauf.pdf",
    "evening.jpg",
    "photo.jpg",
    "progress.json",
    "store",
    "twin.json",
  ]);

  const env = { MAWPS_HOME: join(home.folder, "it's kept", "store") };
  const live = () => home.run(["hero", "show", "--json"], { env });
  const before = await live();
  expect(JSON.parse(before.stdout)).toMatchObject({ profileImageDefault: expect.stringMatching(/^http/) });
  expect(await home.run(["demo", "--keep", "it's kept"])).toMatchObject({ exitCode: 1, stdout: "" });
  expect(await live()).toEqual(before);
});

it.for([
  { model: "lopez", due: 20, newest: "0004-corrections", missing: noMariadb },
  { model: "fc024", due: 1, newest: "0002-ready-is-scanned", missing: undefined },
])("shows a site with a database: $model", async ({ model, due, newest, missing }, context) => {
  if (missing !== undefined) context.skip(missing);
  const shown = await home.run(["demo", "--model", model, "--keep", "kept"]);
  expect([shown.exitCode, shown.stderr]).toEqual([0, expect.not.stringContaining("error:")]);
  for (const told of [
    `$ mawps --model ${model} backup drill`,
    "restored and sound",
    `${newest}: taken back`,
    `${newest}: applied`,
    `${due} done`,
    "erased max@example.com: searched again, and nothing was found",
    "nothing of the person erased on",
  ])
    expect(shown.stdout).toContain(told);
  const env = { MAWPS_MODEL: model, MAWPS_HOME: join(home.folder, "kept", "store") };
  const verified = await home.run(["audit", "verify", "--json"], { env });
  expect(JSON.parse(verified.stdout)).toMatchObject({ faults: 0, interrupted: 0 });
  expect(await readdir(join(home.folder, "kept"))).toEqual(expect.arrayContaining(["receipt.json", "store"]));
});
