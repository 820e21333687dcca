import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dayMs, lines, shapes, storedIn } from "../retention/stored.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

const start = testStart.toISOString();
const folder = "public/documents/user-1/cv";

function documentOf(id: string, more: Record<string, unknown> = {}) {
  const s3Key = `${folder}/1700000000000-${id}.pdf`;
  return { id, name: `${id}.pdf`, type: "cv", s3Key, size: 5, uploadedAt: start, status: "READY", ...more };
}

describe.each(shapes)("retention on %s keys", (shape) => {
  it("purges a document 31 days after its deletion: no byte, no version, no marker, no entry", async () => {
    const stored = storedIn(home, shape);
    const gone = documentOf("gone", { status: "DELETED", deletedAt: start, deletedBy: "admin" });
    const kept = documentOf("kept");
    await stored.putProfile("user-1", [gone, kept], {
      progressData: { pages: { ikigai: { visitCount: 3 } } },
    });
    await stored.put(gone.s3Key, "first");
    await stored.put(gone.s3Key, "second");
    await stored.remove(gone.s3Key);
    await stored.put(kept.s3Key);

    home.laterMs = 29 * dayMs;
    expect((await stored.run("retention", "plan", "--json", "--exit-code")).exitCode).toBe(0);
    home.laterMs = 31 * dayMs;
    const plan = await stored.run("retention", "plan", "--json", "--exit-code");
    expect(plan.exitCode).toBe(5);
    expect(lines(plan.stdout)).toEqual([
      expect.objectContaining({
        rule: "deleted-documents",
        action: "purge",
        reason: "deleted on 2026-03-01",
        key: gone.s3Key,
        userId: "user-1",
        bytes: 11,
        ageDays: 31,
      }),
    ]);
    const run = await stored.run("retention", "run", "--yes", "--json");
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(lines(run.stdout)).toMatchObject([{ done: 1, skipped: [], failed: [] }]);
    expect(await stored.left()).toEqual([kept.s3Key]);
    expect(await stored.profile("user-1")).toEqual({
      userId: "user-1",
      type: "user-profile",
      name: "Änne",
      progressData: { pages: { ikigai: { visitCount: 3 } } },
      documents: [kept],
    });
    const trail = lines((await stored.run("audit", "list", "--json", "--user", "user-1")).stdout);
    expect(trail.map(({ action, details }) => [action, details])).toEqual([
      ["document.purged", expect.objectContaining({ phase: "done", documentIds: ["gone"], versions: 3 })],
      ["document.purged", expect.objectContaining({ phase: "begun", documentIds: ["gone"], versions: 3 })],
    ]);
    expect((await stored.run("audit", "verify")).exitCode).toBe(0);
  });
});
