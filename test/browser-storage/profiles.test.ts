import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFromBrowser } from "../../src/browser-storage/browsers.ts";
import { originFolder } from "../../src/browser-storage/firefox.ts";
import { chromiumProfile, firefoxProfile, type Machine } from "../../src/browser-storage/profiles.ts";

let home: string;
beforeEach(async () => void (home = await mkdtemp(join(tmpdir(), "mawps-test-profiles-"))));
afterEach(async () => await rm(home, { recursive: true, force: true }));

function machine(platform: NodeJS.Platform, env: Machine["env"] = {}): Machine {
  return { platform, home, env, cwd: home };
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(home, path)), { recursive: true });
  await writeFile(join(home, path), text);
}

async function folder(path: string): Promise<void> {
  await mkdir(join(home, path), { recursive: true });
}

const localState = JSON.stringify({
  profile: {
    last_used: "Profile 2",
    info_cache: { Default: { name: "Manuel" }, "Profile 2": { name: "Büro" }, Guest: null },
  },
});

describe("the profile of a browser of the Chromium family", () => {
  test.each([
    ["linux", "chrome", ".config/google-chrome"],
    ["linux", "chromium", ".config/chromium"],
    ["linux", "chromium", "snap/chromium/common/chromium"],
    ["linux", "edge", ".config/microsoft-edge"],
    ["linux", "brave", ".config/BraveSoftware/Brave-Browser"],
    ["linux", "brave", ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser"],
    ["darwin", "chrome", "Library/Application Support/Google/Chrome"],
    ["darwin", "edge", "Library/Application Support/Microsoft Edge"],
    ["win32", "chrome", "AppData/Local/Google/Chrome/User Data"],
    ["win32", "edge", "AppData/Local/Microsoft/Edge/User Data"],
  ] as const)("on %s, %s is found in %s", async (platform, browser, place) => {
    await folder(`${place}/Default`);
    expect(await chromiumProfile(browser, undefined, machine(platform))).toBe(join(home, place, "Default"));
  });

  test.each([
    ["the one used last", undefined, "Profile 2"],
    ["the one with a name", "Manuel", "Default"],
    ["the one with a name in UTF-8", "Büro", "Profile 2"],
    ["the one in a folder", "Default", "Default"],
    ["one that the list does not name", "Profile 9", "Profile 9"],
  ])("is %s", async (_name, wanted, expected) => {
    for (const name of ["Default", "Profile 2", "Profile 9"]) await folder(`.config/chromium/${name}`);
    await put(".config/chromium/Local State", localState);
    const found = await chromiumProfile("chromium", wanted, machine("linux"));
    expect(found).toBe(join(home, ".config/chromium", expected));
  });

  test("is a path when it looks like one: of a profile, or of a folder of profiles", async () => {
    await folder("elsewhere/Profile 2");
    const given = { profile: join(home, "elsewhere", "Profile 2"), relative: "./elsewhere/Profile 2" };
    expect(await chromiumProfile("chrome", given.profile, machine("linux"))).toBe(given.profile);
    expect(await chromiumProfile("chrome", given.relative, machine("linux"))).toBe(given.profile);
    await put("elsewhere/Local State", localState);
    expect(await chromiumProfile("chrome", join(home, "elsewhere"), machine("linux"))).toBe(given.profile);
  });

  test("falls back to Default when the list of profiles does not parse", async () => {
    await put(".config/chromium/Local State", '{"profile": ');
    await folder(".config/chromium/Default");
    const found = await chromiumProfile("chromium", undefined, machine("linux"));
    expect(found).toBe(join(home, ".config/chromium/Default"));
  });

  test("that is not there is refused with the names there are", async () => {
    await put(".config/chromium/Local State", localState);
    await expect(chromiumProfile("chromium", "Privat", machine("linux"))).rejects.toMatchObject({
      message: 'chromium has no profile "Privat"',
      hint: "there are: Manuel (Default), Büro (Profile 2), Guest (Guest)",
    });
    await expect(chromiumProfile("edge", undefined, machine("linux"))).rejects.toThrow(
      /edge keeps no profiles in/,
    );
    await expect(chromiumProfile("edge", "/no/such", machine("linux"))).rejects.toThrow(/no profile folder/);
  });

  test("is looked for where XDG_CONFIG_HOME and LOCALAPPDATA point", async () => {
    await folder("config/chromium/Default");
    await folder("local/Chromium/User Data/Default");
    const linux = machine("linux", { XDG_CONFIG_HOME: join(home, "config") });
    const windows = machine("win32", { LOCALAPPDATA: join(home, "local") });
    expect(await chromiumProfile("chromium", undefined, linux)).toBe(join(home, "config/chromium/Default"));
    expect(await chromiumProfile("chromium", undefined, windows)).toBe(
      join(home, "local/Chromium/User Data/Default"),
    );
  });
});

const profilesIni = `[Install4F96D1932A9F858E]
Default=abc.default-release
Locked=1

[Profile1]
Name=default
IsRelative=1
Path=xyz.default
Default=1

[Profile0]
Name=Büro
IsRelative=1
Path=Profiles/abc.default-release
`;

describe("the Firefox profile", () => {
  test.each([
    ["the installation's default", profilesIni, undefined, "abc.default-release"],
    [
      "the marked one where no installation has one",
      profilesIni.slice(profilesIni.indexOf("[Profile1]")),
      undefined,
      "xyz.default",
    ],
    ["the only one", "[Profile0]\r\nName=a\r\nPath=only\r\n", undefined, "only"],
    ["the one with a name", profilesIni, "Büro", "Profiles/abc.default-release"],
    ["the one in a folder", profilesIni, "abc.default-release", "Profiles/abc.default-release"],
  ])("is %s", async (_name, ini, wanted, expected) => {
    await put(".mozilla/firefox/profiles.ini", ini);
    const found = await firefoxProfile(wanted, machine("linux"));
    expect(found).toBe(join(home, ".mozilla/firefox", expected));
  });

  test.each([
    ["linux", "snap/firefox/common/.mozilla/firefox"],
    ["linux", ".config/mozilla/firefox"],
    ["darwin", "Library/Application Support/Firefox"],
    ["win32", "AppData/Roaming/Mozilla/Firefox"],
  ] as const)("on %s is found in %s", async (platform, place) => {
    await put(`${place}/profiles.ini`, profilesIni);
    expect(await firefoxProfile(undefined, machine(platform))).toBe(join(home, place, "abc.default-release"));
  });

  test("that is not there is refused with the names there are", async () => {
    await put(".mozilla/firefox/profiles.ini", profilesIni);
    await expect(firefoxProfile("Privat", machine("linux"))).rejects.toMatchObject({
      message: 'firefox has no profile "Privat"',
      hint: "there are: default, Büro",
    });
    await put(".mozilla/firefox/profiles.ini", "");
    await expect(firefoxProfile(undefined, machine("linux"))).rejects.toThrow(/has no default profile/);
  });

  test.each([
    ["https://www.example.com", "https+++www.example.com"],
    ["http://127.0.0.1:8080", "http+++127.0.0.1+8080"],
    ["http://[::1]:8080", "http+++[++1]+8080"],
  ])("keeps %s in the folder %s", (origin, expected) => {
    expect(originFolder(origin)).toBe(expected);
  });
});

test("a profile that the system keeps closed is named, with what to do", async () => {
  await folder("closed/inner");
  await chmod(join(home, "closed"), 0);
  // For root no folder is closed.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) await chmod(home, 0o755);
  if (isRoot) process.seteuid?.(65_534);
  try {
    const query = {
      browser: "firefox",
      origin: "https://a.example",
      key: "k",
      profile: join(home, "closed/inner"),
    } as const;
    const reading = readFromBrowser(query, machine("linux"), { signal: new AbortController().signal });
    await expect(reading).rejects.toMatchObject({
      message: `the system does not let ${join(home, "closed/inner")} be read (EACCES)`,
      hint: expect.stringContaining("Full Disk Access"),
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(join(home, "closed"), 0o700);
  }
});
