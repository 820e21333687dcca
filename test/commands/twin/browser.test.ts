import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  chromiumPath,
  eventually,
  installed,
  launchChromium,
  serveSite,
} from "../../browser-storage/real-browsers.ts";
import { soundTwin } from "../../support/twins.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

const fakeToken = "FAKE-TOKEN-91c2d7";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

function storing(twin: unknown): string {
  const stored = { digitalTwinTraining: JSON.stringify(twin), idToken: fakeToken, apiKey: `${fakeToken}-2` };
  const entries = JSON.stringify(Object.entries(stored)).replaceAll("<", "\\u003c");
  return `for (const [key, value] of ${entries}) localStorage.setItem(key, value);`;
}

/** Files of the home, without the browser's own, that hold a text. */
async function filesHolding(text: string): Promise<string[]> {
  const entries = await readdir(home.folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const others = files.filter((file) => !file.startsWith(join(home.folder, "profile")));
  const contents = await Promise.all(others.map(async (file) => [file, await readFile(file)] as const));
  return contents
    .filter(([, content]) => content.includes(text) || content.includes(Buffer.from(text, "utf16le")))
    .map(([file]) => file);
}

describe.skipIf(!installed(chromiumPath))("a real Chromium, if /usr/bin/chromium is installed", () => {
  it("gives its twin to migrate while it runs and after it was closed, and nothing else", async () => {
    const first = { ...soundTwin, experience: { stories: `Größe 😀 </script> ${"x".repeat(200_000)}` } };
    const second = {
      ...soundTwin,
      analytics: { ...soundTwin.analytics, lastTraining: "2025-12-24T18:00:00.000Z" },
    };
    await using site = await serveSite(storing(first));
    const context = await launchChromium(join(home.folder, "profile"));
    const page = await context.newPage();
    await page.goto(site.url);
    const outcomes: Outcome[] = [];
    const run = async (...argv: string[]) => {
      const outcome = await home.run(["twin", ...argv]);
      outcomes.push(outcome);
      return outcome;
    };
    const from = ["--from-browser", "chromium", "--browser-profile", "./profile", "--origin", site.url];
    const migrate = async () => {
      const outcome = await run("migrate", ...from, "--verbose");
      if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
      return outcome.stdout;
    };
    expect(await eventually(migrate)).toContain("version 1");
    expect(JSON.parse((await run("show", "--json")).stdout)).toStrictEqual(first);

    await page.evaluate(storing(second));
    await context.close();
    expect(await migrate()).toContain("version 2");
    expect(JSON.parse((await run("show", "--json")).stdout)).toStrictEqual(second);
    expect(await migrate()).toContain("nothing to do");
    expect((await run("validate", ...from)).exitCode).toBe(0);

    expect(outcomes.filter(({ stdout, stderr }) => (stdout + stderr).includes(fakeToken))).toEqual([]);
    expect(await filesHolding(fakeToken)).toEqual([]);
    const temporary = await readdir(tmpdir());
    expect(temporary.filter((name) => name.startsWith(`mawps-browser-${process.pid}-`))).toEqual([]);
  });
});
