import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readProgress } from "../../src/site/progress/read.ts";
import { progressPage } from "../../src/report/progress.ts";
import { ProgressTally } from "../../src/site/progress/statistics.ts";
import { chromiumPath, installed, launchChromium } from "../browser-storage/real-browsers.ts";

const now = new Date("2025-11-20T00:00:00.000Z");
const hostile = `</svg></title><script>document.title = "run"</script><img src="http://127.0.0.1:9/x">`;

function report(title = "mawps-user-profiles"): string {
  const tally = new ProgressTally({ now });
  for (const [user, percent] of [100, 80, 40, 0].entries()) {
    const visit = new Date(now.getTime() - user * 86_400_000 * 10).toISOString();
    const page = {
      firstVisit: visit,
      lastVisit: visit,
      visitCount: 1,
      completed: percent === 100,
      completionPercentage: percent,
      steps: { "step-1": { completed: percent > 0 }, "step-2": { completed: percent > 50 } },
    };
    const wide = { "bewerbungsmanager-anschreiben": page };
    tally.add(readProgress({ pages: { "werte-finden-größte-stärken": page, ...wide, [hostile]: page } }));
  }
  return [...progressPage(tally.result(), { madeAt: now, title, language: "en" })].join("");
}

describe("the report", () => {
  test("has no script, names nothing outside and escapes every name", () => {
    const html = report(hostile);
    expect(html).not.toMatch(/<script|<img|<link|@import|url\((?!#)/i);
    const addresses = html.replaceAll("http://127.0.0.1:9/x&quot;&gt;", "").match(/https?:[^"]+/g);
    expect(new Set(addresses)).toStrictEqual(
      new Set(["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"]),
    );
    expect(html).toContain("default-src 'none'");
  });

  test("is made of nothing as well", () => {
    const options = { madeAt: now, title: "t", language: "en" } as const;
    const html = [...progressPage(new ProgressTally({ now }).result(), options)].join("");
    expect(html).toContain("<dd>0</dd>");
    expect(html.match(/<svg class="(wide|narrow)"/g)).toHaveLength(2);
  });
});

describe("where people stop", () => {
  test("has one colour and one name for each stage, in the order of the steps, on every page", () => {
    const html = report();
    const [chart = ""] =
      /<svg class="wide" role="img" aria-label="Where people stop: [^"]*"[\s\S]*?<\/svg>/.exec(html) ?? [];
    const texts = [...chart.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
    const legend = ["not begun", "1st step", "2nd step", "3rd step", "4th step", "a later step"];
    expect(texts.filter((text) => legend.includes(text ?? ""))).toStrictEqual(legend);
    // One user stopped before the first step, one behind the first, one behind the second: on both pages alike.
    const drawn = ["--rest", "--first", "--second", "--third", "--fourth", "--fifth"].map(
      (color) => chart.split(`fill="var(${color})"`).length - 1,
    );
    expect(drawn).toStrictEqual([4, 4, 4, 1, 1, 1]);
  });
});

describe.skipIf(!installed(chromiumPath))("a real Chromium, if /usr/bin/chromium is installed", () => {
  let folder: string;
  let address: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mawps-test-report-"));
    const file = join(folder, "report.html");
    await writeFile(file, report());
    address = pathToFileURL(file).href;
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

  test("shows the charts from disk without a request, in the colours of the reader's system and of paper", async () => {
    await using context = await launchChromium(join(folder, "profile"));
    const page = await context.newPage();
    const seen: string[] = [];
    page.on("request", (request) => void seen.push(request.url()));
    page.on("console", (message) => void seen.push(message.text()));
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(address);
    expect(await look(page)).toStrictEqual({
      title: "Progress of the users: mawps-user-profiles",
      ...light,
      text: ["100", "werte-finden-größte-stärken"],
    });

    await page.emulateMedia({ colorScheme: "dark" });
    expect(await look(page)).toMatchObject({ page: "rgb(18, 24, 31)", bar: "rgb(90, 160, 230)" });
    await page.emulateMedia({ colorScheme: "dark", media: "print" });
    expect(await look(page)).toMatchObject(light);
    expect(seen).toStrictEqual([address]);
    expect((await page.pdf({ format: "A4", printBackground: true })).length).toBeGreaterThan(10_000);
  });

  test("can be read on a phone: nothing sticks out, and letters keep their size", async () => {
    await using context = await launchChromium(join(folder, "profile"));
    const page = await context.newPage();
    await page.setViewportSize({ width: 360, height: 800 });
    await page.goto(address);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    const { charts, heights, cutOff } = await page.evaluate<{
      charts: number;
      heights: number[];
      cutOff: string[];
    }>(`(() => {
      const shown = [...document.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().height > 0);
      const texts = shown.flatMap((svg) => [...svg.querySelectorAll("text")]);
      const cutOff = texts.filter((text) => {
        const [inner, outer] = [text, text.ownerSVGElement].map((each) => each.getBoundingClientRect());
        return inner.left < outer.left || inner.right > outer.right;
      });
      return {
        charts: shown.length,
        heights: texts.map((text) => text.getBoundingClientRect().height),
        cutOff: cutOff.map((text) => text.textContent),
      };
    })()`);
    expect(charts).toBe(3);
    expect(Math.min(...heights)).toBeGreaterThan(10);
    expect(cutOff).toStrictEqual([]);
  });
});

const light = { page: "rgb(255, 255, 255)", bar: "rgb(47, 111, 176)", charts: 3 };

/** What a reader sees, asked of the browser's own layout. */
async function look(page: Page): Promise<unknown> {
  return await page.evaluate(`(() => {
    const texts = [...document.querySelectorAll("svg text")].map((text) => text.textContent);
    const visible = [...document.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().height > 100);
    return {
      title: document.title,
      page: getComputedStyle(document.body).backgroundColor,
      bar: getComputedStyle(document.querySelector('svg.wide path[fill="var(--first)"]')).fill,
      charts: visible.length,
      text: ["100", "werte-finden-größte-stärken"].filter((text) => texts.some((shown) => shown.includes(text))),
    };
  })()`);
}
