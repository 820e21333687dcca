import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Browser, readFromBrowser } from "../../src/browser-storage/browsers.ts";
import {
  chromiumPath,
  eventually,
  firefoxPath,
  installed,
  launchChromium,
  launchFirefox,
  serveSite,
} from "./real-browsers.ts";

const key = "digitalTwinTraining";
const fakeToken = "FAKE-TOKEN-6b1f0c";
const twin = JSON.stringify({
  personality: { traits: "neugierig, präzise, größte Mühe 😀 \u2028 </script>", values: "x".repeat(200_000) },
  analytics: { progress: 75, lastTraining: "2025-11-16T10:00:00.000Z" },
});
const stored = {
  [key]: twin,
  latin: "Größe",
  loneSurrogate: "\uD800 and \u{1F600}",
  empty: "",
  idToken: fakeToken,
  "CognitoIdentityServiceProvider.x.accessToken": `${fakeToken}-2`,
};
const storing = `for (const [k, v] of Object.entries(${JSON.stringify(stored).replaceAll("<", "\\u003c")})) localStorage.setItem(k, v);`;

let root: string;
let tempRoot: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mawps-test-browsers-"));
  tempRoot = join(root, "temp");
  await mkdir(tempRoot);
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function read(browser: Browser, origin: string, asked = key): Promise<string> {
  const query = { browser, origin, key: asked, profile: join(root, "profile") };
  const machine = { platform: process.platform, home: root, env: {}, cwd: root };
  const found = await readFromBrowser(query, machine, { signal: new AbortController().signal, tempRoot });
  return found.text;
}

/** What reading gives for every key, and what is left behind by it. */
async function readAll(browser: Browser, origin: string): Promise<unknown> {
  const values: Record<string, string> = {};
  for (const name of Object.keys(stored)) values[name] = await read(browser, origin, name);
  const absent = [read(browser, origin, "noSuchKey"), read(browser, "https://elsewhere.example")];
  const refusals = await Promise.all(absent.map(async (reading) => await reading.catch(String)));
  const traces = await filesHolding(fakeToken, root, join(root, "profile"));
  return { values, refusals, temporary: await readdir(tempRoot), traces };
}

function allOf(browser: Browser, origin: string): unknown {
  const folder = join(root, "profile", ...(browser === "firefox" ? [] : ["Default"]));
  return {
    values: stored,
    refusals: [
      `CliError: ${browser} holds no noSuchKey for ${new URL(origin).origin} in ${folder}`,
      `CliError: ${browser} holds no ${key} for https://elsewhere.example in ${folder}`,
    ],
    temporary: [],
    traces: [],
  };
}

async function filesHolding(text: string, folder: string, except: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const others = files.filter((file) => !file.startsWith(except));
  const contents = await Promise.all(others.map(async (file) => [file, await readFile(file)] as const));
  return contents
    .filter(([, content]) => content.includes(text) || content.includes(Buffer.from(text, "utf16le")))
    .map(([file]) => file);
}

const chromiumStores = [
  { store: "LevelDB", folder: "Local Storage", switches: [] },
  { store: "SQLite", folder: "LocalStorage", switches: ["--enable-features=DomStorageSqlite"] },
];

describe.skipIf(!installed(chromiumPath))("a real Chromium, if /usr/bin/chromium is installed", () => {
  test.each(chromiumStores)("gives the key from $store after it was closed", async ({ folder, switches }) => {
    await using site = await serveSite(storing);
    const context = await launchChromium(join(root, "profile"), switches);
    await (await context.newPage()).goto(site.url);
    // A page that is loaded has told the browser what it stores; that this has written it is told by nothing else.
    await eventually(async () => await read("chromium", site.url));
    await context.close();
    expect(await readdir(join(root, "profile", "Default"))).toContain(folder);
    expect(await readAll("chromium", site.url)).toStrictEqual(allOf("chromium", site.url));
  });

  test.each(chromiumStores)("gives the key from $store while it is running", async ({ folder, switches }) => {
    await using site = await serveSite(storing);
    await using context = await launchChromium(join(root, "profile"), switches);
    await (await context.newPage()).goto(site.url);
    await eventually(async () => await read("chromium", site.url));
    expect(await readdir(join(root, "profile", "Default"))).toContain(folder);
    expect(await readAll("chromium", site.url)).toStrictEqual(allOf("chromium", site.url));
    const [page] = context.pages().toReversed();
    expect(await page?.evaluate(`localStorage.getItem("${key}")`)).toBe(twin);
  });
});

describe.skipIf(!installed(firefoxPath))("a real Firefox, if /usr/bin/firefox-esr is installed", () => {
  test("gives the key after it was closed", async () => {
    await using site = await serveSite(`${storing} fetch("/done").then(() => window.close())`);
    await using firefox = await launchFirefox(join(root, "profile"), site);
    await firefox.exited;
    expect(await readAll("firefox", site.url)).toStrictEqual(allOf("firefox", site.url));
  });

  test("gives the key while it is running", async () => {
    await using site = await serveSite(`${storing} fetch("/done")`);
    await using _running = await launchFirefox(join(root, "profile"), site);
    await eventually(async () => await read("firefox", site.url));
    expect(await readAll("firefox", site.url)).toStrictEqual(allOf("firefox", site.url));
  });
});
