import { afterAll, beforeAll, expect, it } from "vitest";
import { migrationFindings } from "../../src/doctor/migrations.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const table = "mawps-migrations";
const of = (...standings: [id: string, status: string][]) =>
  migrationFindings({ table, standings: standings.map(([id, status]) => ({ id, status })) }).map(
    ({ status, message }) => `${status}: ${message}`,
  );

it.each([
  ["applied", of(["0001", "applied"], ["0002", "applied"]), "ok: all applied (2)"],
  [
    "pending, or taken back",
    of(["0001", "applied"], ["0002", "reverted"], ["0003", "pending"]),
    "warning: not applied yet: 0002, 0003",
  ],
  [
    "begun",
    of(["0001", "applying"], ["0002", "pending"]),
    "warning: begun and not finished, or under way: 0001",
  ],
])("migrations that are %s", (_name, found, told) => {
  expect(found).toEqual([told]);
});

let home: TestHome;
beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

it("are told by the command: of a new store as applied, of one where they were taken back as pending, and no problem", async () => {
  const told = async () => {
    const { exitCode, stdout } = await home.run(["doctor", "--json"]);
    const found = stdout.split("\n").filter((line) => line.includes('"check":"migrations"'));
    return [exitCode, ...found.map((line) => (JSON.parse(line) as { status: string }).status)];
  };
  expect(await told()).toEqual([0, "ok"]);
  expect((await home.run(["migrate", "down", "--yes"])).exitCode).toBe(0);
  expect(await told()).toEqual([0, "warning"]);
});
