import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { downloadLine, localStorageLine } from "../../../src/site/twin/snippets.ts";
import { chromiumPath, installed, launchChromium, serveSite } from "../../browser-storage/real-browsers.ts";

const key = "digitalTwinTraining";
const awkward = `{"a":"</script><!-- \u2028\u2029 \\" ' \` \${location} \\\\ 😀 größte \u0007 \u202E --></SCRIPT>"}`;

describe("the line that puts a text into localStorage", () => {
  test("gives exactly the text when it is run, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constant(awkward)), (text) => {
        const line = localStorageLine(key, text);
        const put: string[][] = [];
        const localStorage = { setItem: (...pair: string[]) => void put.push(pair) };
        // eslint-disable-next-line typescript/no-implied-eval -- running the line is what is tested
        new Function("localStorage", line)(localStorage);
        expect(put).toStrictEqual([[key, text]]);
      }),
    );
  });

  test("is ASCII without anything that ends a script, a string or a template", () => {
    const literal = localStorageLine(key, awkward).slice(`localStorage.setItem("${key}", "`.length, -2);
    expect(literal).toMatch(/^[\u0020-\u007E]*$/);
    expect(literal).not.toMatch(/["'`<>&$]/);
  });
});

describe.skipIf(!installed(chromiumPath))("a real Chromium, if /usr/bin/chromium is installed", () => {
  test("puts the text back with the one line and downloads just that key with the other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mawps-test-snippets-"));
    try {
      await using site = await serveSite(`localStorage.setItem("idToken", "FAKE-TOKEN")`);
      await using context = await launchChromium(join(folder, "profile"));
      const page = await context.newPage();
      await page.goto(site.url);
      expect(await page.evaluate(downloadLine(key))).toMatch(
        /^http:\/\/127.* has no digitalTwinTraining in this browser$/,
      );
      await page.evaluate(localStorageLine(key, awkward));
      expect(await page.evaluate(`localStorage.getItem("${key}")`)).toBe(awkward);

      const [download] = await Promise.all([page.waitForEvent("download"), page.evaluate(downloadLine(key))]);
      expect(download.suggestedFilename()).toBe(`${key}.json`);
      expect(await readFile(await download.path(), "utf8")).toBe(awkward);

      await page.setContent(`<script>${localStorageLine("inline", awkward)}</script>`);
      expect(await page.evaluate(`localStorage.getItem("inline")`)).toBe(awkward);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }
  });
});
