import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePublicUrl, publicUrl } from "../../src/model/urls.ts";

const bucket = "manuel-weiss-public-media";
const key = "public/profile-images/owner/1734384121711-abc123.jpg";
const region = "eu-central-1";

describe("a public URL", () => {
  it("is the website's own form on AWS", () => {
    expect(publicUrl({ bucket, key, region })).toBe(`https://${bucket}.s3.eu-central-1.amazonaws.com/${key}`);
  });

  it("has the bucket in the path on another server", () => {
    const url = publicUrl({ bucket, key, region, endpointUrl: "http://127.0.0.1:9700/" });
    expect(url).toBe(`http://127.0.0.1:9700/${bucket}/${key}`);
  });

  it("leaves bucket and server out behind a CDN", () => {
    const place = {
      region,
      endpointUrl: "http://127.0.0.1:9700",
      publicBaseUrl: "https://cdn.example.com/media",
    };
    expect(publicUrl({ bucket, key, ...place })).toBe(`https://cdn.example.com/media/${key}`);
  });

  it("encodes what is not plain in a key, and keeps its slashes", () => {
    const url = publicUrl({ bucket, key: "public//Ü b+c(1)?#%.jpg", region });
    expect(url).toMatch(/\/public\/\/%C3%9C%20b%2Bc%281%29%3F%23%25\.jpg$/);
  });

  it.each([
    { region },
    { region: "us-east-1" },
    { region, endpointUrl: "https://s3.example.com" },
    { region, publicBaseUrl: "https://cdn.example.com/media/" },
  ])("gives back bucket and key: %o", (place) => {
    const anyKey = fc.string({ unit: "binary", minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(anyKey, (key) => {
        const url = publicUrl({ bucket, key, ...place });
        expect(parsePublicUrl(url, { ...place, publicBucket: bucket })).toEqual({ bucket, key });
      }),
    );
  });

  it.each([
    `https://${bucket}.s3.amazonaws.com/${key}`,
    `http://${bucket}.s3.amazonaws.com/${key}`,
    `https://${bucket}.s3-eu-central-1.amazonaws.com/${key}`,
    `https://${bucket}.s3.dualstack.eu-central-1.amazonaws.com/${key}`,
    `https://${bucket}.s3-accelerate.amazonaws.com/${key}`,
    `https://s3.amazonaws.com/${bucket}/${key}`,
    `https://s3.eu-central-1.amazonaws.com/${bucket}/${key}`,
    `https://S3.eu-central-1.AMAZONAWS.com/${bucket}/${key}`,
    `https://${bucket}.s3.eu-central-1.amazonaws.com:443/${key}`,
    `https://${bucket}.s3.eu-central-1.amazonaws.com/${key}?X-Amz-Expires=900#top`,
    `http://127.0.0.1:41234/${bucket}/${key}`,
    `http://localhost:9000/${bucket}/${key}`,
  ])("is understood as %s", (url) => {
    expect(parsePublicUrl(url)).toEqual({ bucket, key });
  });

  it("keeps a dotted bucket and a key with dots as they are", () => {
    const url = "https://my.bucket.s3.eu-central-1.amazonaws.com/public/../a%2Fb.jpg";
    expect(parsePublicUrl(url)).toEqual({ bucket: "my.bucket", key: "public/../a/b.jpg" });
  });

  it("takes a key that was joined without encoding as it stands", () => {
    const url = `https://${bucket}.s3.eu-central-1.amazonaws.com/public/100% echt.jpg`;
    expect(parsePublicUrl(url)).toEqual({ bucket, key: "public/100% echt.jpg" });
  });

  it.each([
    "",
    "data:image/png;base64,iVBORw0KGgo=",
    "https://example.com/photo.jpg",
    "https://example.com/bucket.s3.eu-central-1.amazonaws.com/key",
    "https://evil-s3.eu-central-1.amazonaws.com.example.com/a/b",
    "https://bucket.s3.eu-central-1.amazonaws.com",
    "https://bucket.s3.eu-central-1.amazonaws.com/",
    "https://s3.amazonaws.com/bucket",
    "/images/photo.jpg",
    "ftp://127.0.0.1/bucket/key",
  ])("is not seen in %j", (url) => {
    expect(parsePublicUrl(url)).toBeUndefined();
  });
});
