import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { migrations } from "../../src/migrations/registry.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import { everything, putWebsiteData, storeOf, versions } from "./stored.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

it.each(migrations)("$migration.id: its checksum is that of its file", async ({ migration, checksum }) => {
  const source = await readFile(join(import.meta.dirname, `../../src/site/migrations/${migration.id}.ts`));
  expect(checksum).toBe(createHash("sha256").update(source).digest("hex"));
});

const shapes = ["simple", "composite"] as const;
const certificate = "public/documents/user-2/certificates/1734384121712-d9c3f1d4.pdf";

const none = { looked: 0, changed: 0, objects: 0, left: 0, conflicts: 0 };
const lost = (userId: string, what: string, key: string) => ({
  userId,
  what,
  why: `its object is missing: ${key}`,
});
const lostCv = lost("user-1", "doc-3", "public/documents/user-1/cv/1734384121711-verloren.pdf");
const lostX = lost("user-9", "doc-9", "public/documents/user-9/cv/1734384121711-x.pdf");
const noProfile = { userId: "user-9", what: "documents", why: "there is no profile to move them to" };

function applied(id: string, counts: Partial<typeof none>, left: readonly object[] = []) {
  return { id, counts: { ...none, ...counts, left: left.length }, left, unfinished: [] };
}

const expected = {
  simple: [
    applied("0001-document-fields", { looked: 5, changed: 2 }, [lostCv]),
    applied("0002-profile-type", { looked: 5, changed: 2 }),
    applied("0003-document-items", {}),
    applied("0004-document-keys", { looked: 5, changed: 1, objects: 3 }),
  ],
  composite: [
    applied("0001-document-fields", { looked: 7, changed: 3 }, [lostCv, lostX]),
    applied("0002-profile-type", {}),
    applied("0003-document-items", { looked: 7, changed: 2 }, [noProfile]),
    applied("0004-document-keys", { looked: 7, changed: 1, objects: 3 }),
  ],
};

describe.each(shapes)("all migrations on %s keys", (shape) => {
  it("plan, up and verify; again there is nothing to do; down gives exactly what was there", async () => {
    const store = storeOf(home, shape);
    await store.look((aws) => putWebsiteData(aws, shape));
    const before = await store.look(everything);
    const versionsBefore = await store.look(versions);

    home.calls.length = 0;
    const plan = await store.run("migrate", "plan");
    expect({ exitCode: plan.exitCode, stderr: plan.stderr.includes("error") }).toEqual({
      exitCode: 0,
      stderr: false,
    });
    expect(home.calls.filter(({ command }) => !/^(Get|Head|List|Describe|Scan|Query)/.test(command))).toEqual(
      [],
    );
    expect(await store.look(everything)).toEqual(before);

    const up = await store.json("migrate", "up");
    expect(up["applied"]).toEqual(expected[shape]);
    const after = await store.look(everything);
    expect(Object.keys(after.objects)).toEqual([
      "public/documents/user-1/cv/1734384121711-brief.txt",
      "public/documents/user-1/cv/1734384121711-cv.pdf",
      certificate,
      "public/documents/user-2/certificates/1734384121713-5d206428.pdf",
      "public/documents/user-3/cv/1734384121711-a.pdf",
      "public/profile-images/user-2/1734384121714-210a432b.jpg",
    ]);
    expect(after.objects[certificate]).toMatchObject({
      text: "%PDF-1 Zeugnis",
      contentType: "application/pdf",
      cacheControl: "no-store",
      metadata: { "from-website": "yes" },
      tags: { kind: "test" },
    });

    const again = await store.json("migrate", "up");
    expect(again).toEqual({ applied: [] });
    expect(await store.look(everything)).toEqual(after);

    await store.json("migrate", "down", "--to", "none");
    const restored = await store.look(everything);
    expect(restored).toEqual(before);
    expect(await store.look(versions)).toEqual(versionsBefore);
    expect((await store.run("audit", "verify")).exitCode).toBe(0);

    // And once more forward.
    const third = await store.json("migrate", "up");
    expect(third["applied"]).toEqual(up["applied"]);
  });
});
