import { afterEach, beforeEach, expect, it } from "vitest";
import { anchorKey } from "../../src/audit/place.ts";
import { deleteObject } from "../../src/aws/s3/objects.ts";
import { auditFindings } from "../../src/doctor/audit-trail.ts";
import { openTrailSite, testNow, type TrailSite } from "../audit/trail-site.ts";

let trail: TrailSite;

beforeEach(async () => {
  trail = await openTrailSite();
});
afterEach(() => trail.close());

async function found(now = testNow): Promise<string> {
  const [finding] = await auditFindings(trail.site, now);
  return `${finding?.status}: ${finding?.message}`;
}

it("says that a trail has not begun, and where one ends", async () => {
  expect(await found()).toBe("ok: not begun: nothing has been changed by this tool yet");
  await trail.open();
  expect(await found()).toBe("ok: no entries yet, anchored");
  await trail.write(3);
  expect(await found()).toBe("ok: entry 3 is the last, anchored");
});

it("finds a cut tail, until that was due to expire", async () => {
  await trail.write(2);
  await trail.drop(2);
  expect(await found()).toBe("problem: entry 2: is missing");
  await trail.drop(1);
  expect(await found(new Date("2034-01-01"))).toBe("ok: all 2 entries have expired");
});

it("finds another last entry, and a missing anchor", async () => {
  await trail.write(2);
  const item = await trail.item(2);
  await trail.put({ ...item, hash: { S: "0".repeat(64) } });
  expect(await found()).toBe("problem: entry 2: is not what its hash says, and 1 more");
  await trail.put(item ?? {});
  await deleteObject(trail.aws, { bucket: trail.site.bucket, key: anchorKey(trail.site) });
  expect(await found()).toBe("problem: entry 2: the anchor is missing; its last version is compared instead");
});

it("tells of a change whose run was killed", async () => {
  await trail.write(1);
  const killed = await trail.open();
  await new Promise<void>((reached) => {
    void killed.irreversible({ action: "document.purged" }, () => {
      reached();
      return new Promise<void>(() => {});
    });
  });
  expect(await found()).toBe(
    "warning: 1 announced change has no outcome: it was interrupted, or is under way",
  );
});
