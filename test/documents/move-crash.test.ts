import { afterAll, beforeAll, expect, test } from "vitest";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { getObjectBytes, putObject } from "../../src/aws/s3/objects.ts";
import { documentBucket as bucket, putDocument, putProfile, readEntries } from "../support/documents.ts";
import { afterRealClockMs, makeHome, type TestHome } from "../support/world.ts";
import { buildMortal, type Mortal } from "../support/mortal-process.ts";

let mortal: Mortal;

beforeAll(async () => {
  mortal = await buildMortal("mortal-calls");
});

afterAll(() => mortal.remove());

/** A home with a document that has an older version; `UPLOADING` is one that was sent by a link. */
async function prepared(status: string): Promise<{ home: TestHome; key: string }> {
  const home = await makeHome();
  home.laterMs = afterRealClockMs();
  const key = await home.look(async (aws) => {
    const entry = await putDocument(aws, { userId: "user-1", id: "doc-1", body: "alt", status });
    const s3Key = String(entry["s3Key"]);
    await putObject(aws, {
      bucket,
      key: s3Key,
      body: Buffer.from("neu"),
      metadata: { "document-id": "doc-1" },
    });
    const { sha256: _other, ...known } = entry;
    await putProfile(aws, "user-1", { documents: [{ ...known, size: 3, uploadUntil: undefined }] });
    return s3Key;
  });
  return { home, key };
}

/** The document is ready at another key, with its bytes; of the former key nothing is left, no version and no marker. */
async function assertMoved(home: TestHome, from: string, versions: number): Promise<void> {
  await home.look(async (aws) => {
    const entries = await readEntries(aws, "user-1", "simple");
    expect(entries.map(({ id, status, movedFrom }) => [id, status, movedFrom])).toEqual([
      ["doc-1", "READY", undefined],
    ]);
    const key = String(entries[0]?.["s3Key"]);
    expect(key).not.toBe(from);
    expect(String((await getObjectBytes(aws, { bucket, key })).bytes)).toBe("neu");
    const keys: string[] = [];
    for await (const page of listVersions(aws, { bucket, prefix: "public/documents/" })) {
      keys.push(...page.map((version) => version.key));
    }
    expect(new Set(keys)).toEqual(new Set([key]));
    expect(keys.length).toBeLessThanOrEqual(versions);
  });
  expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
}

test.each([
  // A run after a crash moves once more what an earlier one had moved: a link may have been made in between.
  ["revoke", "READY", ["doc", "revoke", "user-1", "doc-1"]],
  ["confirm", "UPLOADING", ["doc", "confirm", "user-1", "doc-1"]],
])("doc %s, killed at any step, is finished by the same command", async (_verb, status, argv) => {
  const seen: string[] = [];
  // Every other step: what is so after one call is so before the next.
  for (let fatal = 1; seen.at(-1) !== "acknowledged"; fatal += 2) {
    const { home, key } = await prepared(status);
    const killed = (await mortal.die(home, fatal, argv)).at(-1) ?? "";
    seen.push(killed);
    const again = await home.run(argv);
    expect({ killed, exitCode: again.exitCode }).toEqual({ killed, exitCode: 0 });
    await assertMoved(home, key, 2);
    await home.remove();
  }
  expect(seen.map((step) => step.replace(/^(before|after) /, ""))).toEqual(
    expect.arrayContaining(["UpdateItemCommand", "DeleteObjectsCommand", "PutItemCommand"]),
  );
});
