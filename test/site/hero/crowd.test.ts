import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { getObjectBytes } from "../../../src/aws/s3/objects.ts";
import { readPointer } from "../../../src/site/hero/pointer.ts";
import { withImages } from "../../../src/site/hero/prepare.ts";
import { setHero } from "../../../src/site/hero/set.ts";
import { addressOf } from "../../../src/site/hero/addresses.ts";
import { plainPicture } from "../../fixtures/pictures.ts";
import { contextOn } from "../../support/context.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

it("gets twenty settings at once through, each with the one before it in the history", async () => {
  await home.look(async (aws, config) => {
    const bytes = await plainPicture([9, 90, 190]).jpeg().toBuffer();
    const context = contextOn(aws, config);
    const from = { cwd: "/", stdin: Readable.from([bytes]), signal: context.signal };
    const options = { maxWidth: 64, quality: 80, keepOriginal: true, responsive: false };
    const set = await withImages([{ role: "default", source: "-" }], from, {
      ...options,
      use: (images) =>
        Promise.all(Array.from({ length: 20 }, () => setHero(context, images, { verify: false }))),
    });
    const pictures = set.flatMap((each) => each.pictures);
    const next = new Map(pictures.map(({ previousUrl, url }) => [previousUrl, url]));
    const order: string[] = [];
    for (let url = next.get(null); url !== undefined; url = next.get(url)) order.push(url);
    expect(order).toHaveLength(20);
    const { pointer, past } = await readPointer(context);
    expect(past.default).toEqual(order);
    expect(pointer.profileImageDefault).toBe(order[19]);
    for (const url of order) {
      const address = addressOf(context, url) ?? { bucket: "", key: "" };
      expect((await getObjectBytes(aws, address)).bytes).toEqual(bytes);
    }
  });
});
