import assert from "node:assert/strict";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { absent, refused, type Check } from "./trial.ts";

const oddKeys: readonly (readonly [string, string])[] = [
  ["two slashes", "a//b"],
  ["a slash at the start", "/a"],
  ["a slash at the end", "a/"],
  ["nothing but slashes", "//"],
  ["parent folders", "a/b/../../c"],
  ["a dot folder", "a/./b"],
  ["spaces", " a  b "],
  ["a plus sign", "a+b"],
  ["a percent sign", "100%"],
  ["what looks encoded", "a%2Fb%20c"],
  ["a question mark", "a?versionId=1&acl"],
  ["a hash", "a#b"],
  ["XML's own characters", "<a>&'\"]]>"],
  ["RFC 3986's reserved characters", "!*'();:@&=+$,[]~"],
  ["a backslash and braces", "a\\b{c}|^`d"],
  ["umlauts (NFC)", "Größe/Übung.pdf".normalize("NFC")],
  ["umlauts (NFD)", "Größe/Übung.pdf".normalize("NFD")],
  ["emoji", "🧑‍💻/😀.png"],
  ["right-to-left letters", "שלום.txt"],
  ["control characters", "a\u0001\u001f\u007fb"],
  ["line ends and tabs", "a\r\n\tb"],
  ["a reserved file name", "CON/nul.txt:stream"],
  ["names of JavaScript's own", "__proto__/constructor"],
  ["1,024 bytes", "k".repeat(1024)],
  ["1,024 bytes in 512 characters", "ä".repeat(512)],
];

export const keyChecks: readonly Check[] = [
  ...oddKeys.map(([what, Key]): Check => ({
    name: `takes a key with ${what} as any other`,
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, Key, "content");
      assert.equal(await t.read(Bucket, Key), "content");
      assert.equal((await t.s3.headObject({ Bucket, Key })).ContentLength, 7);
      const { Contents = [] } = await t.s3.listObjectsV2({ Bucket, EncodingType: "url" });
      const listed = Contents.map((entry) => decodeURIComponent((entry.Key ?? "").replaceAll("+", " ")));
      assert.deepEqual(listed, [Key]);
      const link = await getSignedUrl(t.s3, new GetObjectCommand({ Bucket, Key }));
      assert.equal((await t.open(link)).text, "content");
      await t.s3.deleteObject({ Bucket, Key });
      await absent(t, Bucket, Key);
    },
  })),
  {
    name: "keeps apart keys that differ only in encoding, form or slashes",
    async run(t) {
      const Bucket = await t.bucket();
      const keys = [
        "a b",
        "a+b",
        "a%20b",
        "a%2Bb",
        "ä",
        "a\u0308",
        "c/d",
        "c//d",
        "/c/d",
        "c/d/",
        "C/d",
        "c/./d",
      ];
      for (const key of keys) await t.put(Bucket, key, `content of ${key}`);
      for (const key of keys) assert.equal(await t.read(Bucket, key), `content of ${key}`);
      assert.deepEqual(new Set(await t.keys(Bucket)), new Set(keys));
    },
  },
  {
    name: "refuses a key of 1,025 bytes",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.s3.putObject({ Bucket, Key: "k".repeat(1025), Body: "x" }), 400, "KeyTooLongError");
      await refused(
        t.s3.putObject({ Bucket, Key: `k${"ä".repeat(512)}`, Body: "x" }),
        400,
        "KeyTooLongError",
      );
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
  {
    name: "deletes odd keys in a batch",
    async run(t) {
      const Bucket = await t.bucket();
      // XML cannot name control characters, and reads a line end as \n.
      const keys = oddKeys.map(([, key]) => key).filter((key) => !/\p{Cc}/u.test(key));
      for (const key of keys) await t.put(Bucket, key, "");
      const answer = await t.s3.deleteObjects({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } });
      assert.deepEqual(new Set(answer.Deleted?.map((entry) => entry.Key)), new Set(keys));
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
];
