import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { withImages, type ImagesUnderWay } from "../../../src/site/hero/prepare.ts";
import { plainPicture } from "../../fixtures/pictures.ts";

it("renders no more pictures once what they are for has failed", async () => {
  const bytes = await plainPicture([9, 90, 190]).jpeg().toBuffer();
  const from = { cwd: "/", stdin: Readable.from([bytes]), signal: new AbortController().signal };
  let pictures: ImagesUnderWay["prepared"] | undefined;
  const failing = withImages([{ role: "default", source: "-" }], from, {
    maxWidth: 64,
    quality: 80,
    keepOriginal: false,
    responsive: true,
    use: async ({ prepared }) => {
      pictures = prepared;
      throw new Error("the store does not open");
    },
  });
  await expect(failing).rejects.toThrow("the store does not open");
  await expect(pictures).rejects.toMatchObject({ name: "AbortError" });
});
