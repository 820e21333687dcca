import { afterEach, beforeEach, expect, it } from "vitest";
import { noAudit } from "../../../src/audit/audit.ts";
import { getObjectBytes } from "../../../src/aws/s3/objects.ts";
import { readPointer } from "../../../src/site/hero/pointer.ts";
import { setHero } from "../../../src/site/hero/set.ts";
import { heroKeyOf, type HeroSite } from "../../../src/site/hero/site.ts";
import { makeHome, testStart, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

it("gets twenty settings at once through, each with the one before it in the history", async () => {
  await home.look(async (aws, config) => {
    const bucket = config["buckets.publicMedia"];
    const signal = new AbortController().signal;
    const site: HeroSite = {
      aws,
      bucket,
      uploadsBucket: config["buckets.profileImages"],
      table: config["tables.userProfiles"],
      publicBaseUrl: undefined,
      trail: { aws, table: config["tables.auditLog"], bucket: config["buckets.userFiles"] },
      signal,
    };
    const set = await Promise.all(
      Array.from({ length: 20 }, (_, at) => {
        const bytes = Buffer.from(`picture ${at}`);
        const main = { bytes, width: 1, height: 1, contentType: "image/jpeg", extension: "jpg" };
        const image = { role: "default", originalBytes: 1, main, variants: [], keptMetadata: [] } as const;
        return setHero(site, Promise.resolve([image]), {
          verify: false,
          dryRun: false,
          audit: noAudit,
          now: () => testStart,
          randomHex: () => at.toString(16).padStart(8, "0"),
          onProgress: () => {},
        });
      }),
    );
    const pictures = set.flatMap((each) => each.pictures);
    const next = new Map(pictures.map(({ previousUrl, url }) => [previousUrl, url]));
    const order: string[] = [];
    for (let url = next.get(null); url !== undefined; url = next.get(url)) order.push(url);
    expect(order).toHaveLength(20);
    const { pointer, past } = await readPointer(site);
    expect(past.default).toEqual(order);
    expect(pointer.profileImageDefault).toBe(order[19]);
    for (const url of order) {
      const { bytes } = await getObjectBytes(aws, { bucket, key: heroKeyOf(site, url) ?? "" });
      expect(bytes.toString()).toMatch(/^picture \d+$/);
    }
  });
});
