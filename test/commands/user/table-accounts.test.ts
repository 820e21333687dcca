import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const id = "0f5c1c58-7f2c-4bd6-9d3c-111111111111";
const [stored, typed] = ["Max@Example.com", "max@example.com"];

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
  await site().run("setup", "--yes");
  await site().put("prework-users", [
    { id, email: stored, name: "Max", role: "admin", passwordHash: "geheim" },
    { id: "eva", email: "eva@example.com", name: "Eva", isActive: false },
  ]);
});
afterEach(() => home.remove());

const site = () => modelSite(home, "prework");
const user = (...argv: string[]) => site().run("user", ...argv);

it("tells of an erasure that an item is the account, and by an address again that it was done", async () => {
  const plan = await user("erase", typed, "--dry-run");
  expect([plan.exitCode, plan.stdout]).toEqual([
    0,
    expect.stringMatching(/account +of the table \(user\), with its item/),
  ]);
  const planned = JSON.parse((await user("erase", typed, "--dry-run", "--json")).stdout) as object;
  expect(planned).toMatchObject({ userId: id, account: true, items: { accounts: 1 } });
  const first = await user("erase", typed, "--yes", "--json", "--receipt", "first.json");
  expect([first.exitCode, JSON.parse(first.stdout)]).toMatchObject([
    0,
    { isComplete: true, erased: { account: true }, left: { account: false } },
  ]);
  expect(await readFile(join(home.folder, "first.html"), "utf8")).toContain("gelöscht · deleted");
  expect(await site().column("prework-users", "id")).toEqual(["eva"]);
  for (const [given, userId] of [
    [typed, null],
    ["MAX@example.com", null],
    [id, id],
  ] as const) {
    const again = await user("erase", given, "--yes", "--json");
    expect([given, again.exitCode, JSON.parse(again.stdout)]).toEqual([
      given,
      0,
      { userId, changed: false, isComplete: true, receipt: null, page: null },
    ]);
  }
  const said = await user("erase", typed, "--yes");
  expect(said.stdout).toContain(`${typed} was erased before: searched again by the address`);
  expect((await user("erase", "nobody@example.com", "--yes")).exitCode).toBe(1);
});

it("leaves a plan that was filed of somebody else, whose id nobody knows any more, as it is", async () => {
  await user("erase", typed, "--yes", "--receipt", "first.json");
  await writeFile(join(home.folder, "plan.json"), JSON.stringify({ userId: null, copies: {} }));
  const again = await user("erase", typed, "--dry-run", "--output", "plan.json");
  expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("already exists")]);
});

it("says in the numbers of an export that the account is among what is given out", async () => {
  const { stdout } = await user("export", typed, "--dry-run", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ userId: id, account: true, items: { accounts: 1 } });
});

it("lists nobody by a field or a state that no account can have, and names those that there are", async () => {
  for (const [condition, told] of [
    [
      ["--where", "nosuch=x"],
      "--where takes createdAt, email, id, isActive, kind, name, role, updatedAt, userId",
    ],
    [["--where", "passwordHash=geheim"], "--where takes createdAt, email, id, isActive"],
    [["--status", "CONFIRMED"], "--status takes enabled, disabled"],
  ] as const) {
    const { exitCode, stdout, stderr } = await user("list", "--csv", ...condition);
    expect([condition, exitCode, stdout, stderr]).toEqual([
      condition,
      2,
      "",
      expect.stringMatching(new RegExp(`${told}[^H]*\n$`)),
    ]);
  }
  const { exitCode, stdout } = await user("list", "--json", "--where", "role=admin", "--status", "enabled");
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { userId: id }]);
  const { kind } = JSON.parse(stdout) as { kind: string };
  const shown = ["--where", `userId=${id}`, "--where", `kind=${kind}`];
  expect((await user("list", "--json", ...shown)).stdout).toBe(stdout);
  expect((await user("list", "--json", "--where", "kind=nobody")).stdout).toBe("");
});

it("finds somebody by their address in whatever case for documents, too, and asks for nothing that accounts do not have", async () => {
  await writeFile(join(home.folder, "notes.txt"), "what is written");
  const upload = await site().run("doc", "upload", typed, "notes.txt", "--no-scan");
  expect([upload.exitCode, await site().column("prework-files", "uploadedBy")]).toEqual([0, [id]]);
  for (const argv of [
    ["doc", "list", "nobody"],
    ["doc", "list", "nobody@example.com"],
    ["user", "show", "nobody"],
    ["user", "disable", "nobody@example.com", "--yes"],
  ]) {
    const { exitCode, stderr } = await site().run(...argv);
    expect([argv, exitCode, stderr]).toEqual([
      argv,
      1,
      expect.stringContaining("hint: give an id or an e-mail address; `mawps user list` shows them"),
    ]);
  }
  for (const argv of [
    ["doc", "list", ""],
    ["user", "show", ""],
  ])
    expect([argv, (await site().run(...argv)).exitCode]).toEqual([argv, 2]);
});
