import { afterAll, beforeAll, expect, test } from "vitest";
import { nobodies, profiles, secrets, userDocuments } from "./items.ts";
import { heroKey, openKeys, publicMedia, serviceKeys, userFiles } from "./objects.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let site: LiveSite;

beforeAll(async () => {
  site = await makeLiveSite();
});

afterAll(() => site.remove());

test("the first command brings the tool's tables and switches on what only protects; all else stays the site's", async () => {
  const { exitCode, stdout } = await site.run(["hero", "show"]);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining(heroKey)]);
  expect(await site.changedSince(site.asBuilt)).toEqual([
    `changed bucket ${publicMedia} lifecycle`,
    `changed bucket ${userFiles} lifecycle`,
    `changed bucket ${userFiles} policy`,
    `changed bucket ${userFiles} versioning`,
    `changed table ${profiles} protection`,
    `changed table ${profiles} recovery`,
  ]);
});

test("the picture shows items, versions with their ACLs, and settings", async () => {
  const names = [...site.asBuilt.keys()];
  const { lena } = site.people;
  expect(names).toContain(
    `item ${userDocuments} ${JSON.stringify({ userId: lena, documentId: "api-doc-1" })}`,
  );
  expect(names.filter((name) => name.startsWith(`object ${publicMedia} ${heroKey} `))).toHaveLength(1);
  expect(serviceKeys.filter((key) => !names.some((name) => name.includes(` ${key} `)))).toEqual([]);
  const items = nobodies.map((userId) => site.asBuilt.get(`item ${profiles} ${JSON.stringify({ userId })}`));
  expect(secrets.filter((secret) => items.some((item) => item?.includes(secret)))).toHaveLength(4);
  const [rental] = openKeys;
  expect(site.asBuilt.get(`object ${userFiles} ${rental} null`)).toContain("AllUsers");
  expect(site.asBuilt.get(`bucket ${userFiles} cors`)).toContain("https://mawps.example");
  expect(site.asBuilt.get(`user ${lena}`)).toContain("lena@example.com");
});
