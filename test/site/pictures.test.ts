import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { plainPicture } from "../fixtures/pictures.ts";
import { lines } from "../retention/stored.ts";
import {
  addressOf,
  avatarKeys,
  heroKey,
  profileImages,
  publicMedia,
  serviceKeys,
  userFiles,
} from "./objects.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let site: LiveSite;

beforeAll(async () => {
  site = await makeLiveSite();
  // The tool's own tables, and what protects, come with the first command.
  await site.run(["hero", "show"]);
  const photo = await plainPicture([10, 20, 30], { width: 640, height: 480 }).jpeg().toBuffer();
  await writeFile(join(site.home.folder, "photo.jpg"), photo);
});

afterAll(() => site.remove());

const ownerItem = 'changed item mawps-user-profiles {"userId":"owner"}';

test("retention takes nothing of the site's, however old it is", async () => {
  site.home.laterMs = 400 * 86_400_000;
  const before = await site.picture();
  const { exitCode, stdout, stderr } = await site.run(["retention", "run", "--yes"]);
  expect([exitCode, stdout]).toEqual([0, "nothing is due\n"]);
  expect(stderr).toContain("old pictures left alone");
  expect(await site.changedSince(before)).toEqual([]);
});

test("hero commands touch the pointers alone, and go back to the website's picture", async () => {
  const before = await site.picture();
  const set = await site.run(["hero", "set", "photo.jpg", "--json"]);
  expect([set.exitCode, set.stderr]).toEqual([0, ""]);
  const { key } = JSON.parse(set.stdout) as { key: string };
  const uploaded = expect.stringContaining(`new object ${publicMedia} ${key}`) as string;
  expect((await site.changedSince(before)).sort()).toEqual([ownerItem, uploaded]);
  const back = await site.run(["hero", "rollback", "--json"]);
  expect([back.exitCode, back.stderr]).toEqual([0, ""]);
  expect(JSON.parse(back.stdout)).toMatchObject({ url: addressOf(publicMedia, heroKey), changed: true });
  expect((await site.changedSince(before)).sort()).toEqual([ownerItem, uploaded]);
  expect((await site.run(["hero", "rollback", "--yes"])).exitCode).toBe(1);

  const unknown = lines((await site.run(["hero", "list", "--unknown", "--json"])).stdout);
  expect(unknown.map((each) => String(each["key"])).sort()).toEqual(
    [...serviceKeys, "profile/owner/1757000000005-hero.jpg"].sort(),
  );
  expect(unknown.filter(({ bucket }) => bucket === profileImages)).toHaveLength(1);
  const heroes = lines((await site.run(["hero", "list", "--json"])).stdout);
  expect(heroes.map((each) => each["key"])).toEqual([key, heroKey]);
});

test("an avatar goes into both attributes of the profile, and nothing else of it changes", async () => {
  const { lena } = site.people;
  const before = await site.picture();
  const set = await site.run(["avatar", "set", lena, "photo.jpg", "--json"]);
  expect([set.exitCode, set.stderr]).toEqual([0, ""]);
  const result = JSON.parse(set.stdout) as { key: string; profileImage: string; previousImage: string };
  expect(result.previousImage).toBe(addressOf(profileImages, avatarKeys.today(lena)));
  expect(await site.changedSince(before)).toEqual([
    `changed item mawps-user-profiles {"userId":"${lena}"}`,
    expect.stringContaining(`new object ${userFiles} ${result.key}`) as string,
  ]);
  const item = (await site.picture()).get(`item mawps-user-profiles {"userId":"${lena}"}`) ?? "";
  expect(item.split(result.profileImage)).toHaveLength(3);
});
