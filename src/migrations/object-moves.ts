import { holdsOfAny } from "../audit/holds.ts";
import { copyObject } from "../aws/s3/copy.ts";
import { listVersions } from "../aws/s3/listing.ts";
import { deleteObject, headObject, type ObjectHead } from "../aws/s3/objects.ts";
import { httpStatus } from "../aws/setting.ts";
import { assertSame } from "../documents/move.ts";
import type { JournalRecord, MigrationSite, ObjectMove } from "./migration.ts";
import { isNamed, readUnit } from "./units.ts";

/*
 * An object moves in three steps: copy, change of the item that names it, deletion of the former one. Whatever is broken
 * off in between, an object is deleted only when no item of the person names it and the other one is there:
 *
 * | item names | of the two objects  | then                                  |
 * |------------|---------------------|---------------------------------------|
 * | former key | both                | the copy goes (or is used once more)  |
 * | new key    | both                | the former goes                       |
 * | both, none | both                | both stay                             |
 *
 * While a legal hold stands on the person, the former one stays in any case.
 *
 * In a versioned bucket the deletion of the former object only adds a marker; its versions stay until the bucket's own
 * rule for old versions removes them, and going back takes the marker away. A copy is deleted by its version: it is ours.
 */

/** Copies the object to its new key, with headers, metadata and tags; `changed` when it is no longer the one planned. */
export async function copyMove(site: MigrationSite, move: ObjectMove): Promise<"there" | "changed"> {
  const source = await head(site, move.from);
  const copy = await head(site, move.to);
  if (source === undefined) return copy?.sizeBytes === move.sizeBytes ? "there" : "changed";
  if (source.etag !== move.etag) return "changed";
  if (copy?.etag === source.etag && copy.sizeBytes === source.sizeBytes) return "there";
  return (await copyBetween(site, source, move)) ? "there" : "changed";
}

/** Deletes of each moved object the one that no item of the person names any more, as the table above says. */
export async function settleMoves(site: MigrationSite, record: JournalRecord): Promise<void> {
  if (record.moves.length === 0) return;
  const unit = await readUnit(site, record.userId);
  for (const move of record.moves) {
    const [isFormer, isNew] = [isNamed(site, unit, move.from), isNamed(site, unit, move.to)];
    if (isFormer === isNew) continue;
    const [former, copy] = [await head(site, move.from), await head(site, move.to)];
    if (former === undefined || copy?.sizeBytes !== former.sizeBytes) continue;
    if (isFormer) await deleteCopy(site, move);
    // Another one that came to the former key since was never copied.
    else if (former.etag === move.etag && !(await isHeld(site, record.userId)))
      await deleteFormer(site, move);
  }
}

/** Asked for each: a hold may come at any time. */
async function isHeld({ holds }: MigrationSite, userId: string): Promise<boolean> {
  return holdsOfAny(await holds(), [userId]).length > 0;
}

/** Has the object at its former key again, without touching the copy; false when it is nowhere, or another one is there. */
export async function takeBack(site: MigrationSite, move: ObjectMove): Promise<boolean> {
  const { bucket, signal } = site;
  for (let look = 0; (await head(site, move.from)) === undefined && look < 10; look++) {
    const marker = await markerOver(site, move);
    if (marker === undefined) break;
    await deleteObject(site.aws, { bucket, key: move.from, version: marker }, signal);
  }
  const former = await head(site, move.from);
  if (former !== undefined) return former.sizeBytes === move.sizeBytes;
  const copy = await head(site, move.to);
  return copy !== undefined && copyBetween(site, copy, { from: move.to, to: move.from });
}

/** The delete marker that hides the object; undefined where another version, or none, would come to light. */
async function markerOver(
  { aws, bucket, signal }: MigrationSite,
  { from: key, etag }: ObjectMove,
): Promise<string | undefined> {
  let marker: string | undefined;
  let below: string | undefined;
  for await (const page of listVersions(aws, { bucket, prefix: key, signal })) {
    for (const each of page.filter((version) => version.key === key)) {
      if (each.isDeleteMarker && each.isLatest) marker = each.version;
      // The newest comes first.
      if (!each.isDeleteMarker) below ??= each.etag;
    }
  }
  return below === etag ? marker : undefined;
}

async function copyBetween(
  site: MigrationSite,
  source: ObjectHead,
  { from, to }: Pick<ObjectMove, "from" | "to">,
): Promise<boolean> {
  const { aws, bucket, signal } = site;
  try {
    await copyObject(aws, {
      from: { bucket, key: from },
      to: { bucket, key: to },
      ifMatch: source.etag,
      signal,
    });
  } catch (error) {
    // Gone or another one meanwhile.
    if (httpStatus(error) === 412 || httpStatus(error) === 404) return false;
    throw error;
  }
  await assertSame(site, source, { from, to });
  return true;
}

async function deleteFormer(site: MigrationSite, { from, etag }: ObjectMove): Promise<void> {
  const { aws, bucket, signal } = site;
  try {
    await deleteObject(aws, { bucket, key: from, ifMatch: etag }, signal);
  } catch (error) {
    // Another object came to that key in this moment: it is not ours to delete.
    if (httpStatus(error) !== 412) throw error;
  }
}

/** Also the copies that runs made which died before they could delete them. */
async function deleteCopy(site: MigrationSite, { to, sizeBytes }: ObjectMove): Promise<void> {
  const { aws, bucket, signal } = site;
  for (let copies = 0; copies < 10; copies++) {
    const copy = await head(site, to);
    if (copy?.sizeBytes !== sizeBytes) return;
    const name = { bucket, key: to };
    const which =
      copy.version === undefined ? { ...name, ifMatch: copy.etag } : { ...name, version: copy.version };
    await deleteObject(aws, which, signal);
  }
}

function head({ aws, bucket, signal }: MigrationSite, key: string): Promise<ObjectHead | undefined> {
  return headObject(aws, { bucket, key }, signal);
}
