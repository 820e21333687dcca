import { readAnchor, writeAnchor } from "../audit/anchor.ts";
import type { TrailPlace } from "../audit/place.ts";
import { readHead } from "../audit/entries.ts";
import { findBucket } from "../aws/s3/bucket.ts";
import {
  type ErasureEntry,
  lineErasure,
  repositoryErasures,
  tableErasures,
  writeErasure,
} from "./erasures.ts";
import { sourcesOf } from "./restore-items.ts";
import { parseItemLine } from "./item-line.ts";
import type { RestoreSite } from "./restore-site.ts";
import type { Manifest, TableSnapshot } from "./snapshot.ts";
import { toolRoles } from "../model/tool-tables.ts";

/*
 * The audit table holds two things that no restore may set back.
 *
 * The trail, chain `main`: its entries are restored like other items, but an entry that is there is never overwritten, and
 * where one differs none is added (restore-table-plan.ts). A longer chain that is there stays as it is; a lost end comes back;
 * a table made anew gets the chain up to the backup. The anchor in the private bucket vouches for entries that may be
 * newer than the backup, so it is never restored from one. Where it is there, it stays: entries lost between the
 * backup and the anchor then show as missing, which is the truth, and new ones go on behind the anchor. Where there
 * is none and this restore has made the table, or found no entry in it, the last entry that was restored is
 * anchored; where entries were there before, their writer finds the anchor missing and records that.
 *
 * The ledger of erasures, chain `erasures`, only grows: entries of the backup that are not in it are added behind those
 * that are.
 */

type Readable = Pick<RestoreSite, "aws" | "repository" | "spool" | "signal"> & {
  readonly manifest: Manifest;
};

/** Who was erased, by the repository, by these tables, and by the snapshot itself. */
export async function readLedger(site: Readable, tables: Iterable<string>): Promise<ErasureEntry[]> {
  const { aws, signal } = site;
  const entries: ErasureEntry[] = [];
  for await (const entry of repositoryErasures(site.repository.store, signal)) entries.push(entry);
  for (const table of new Set(tables))
    for await (const entry of tableErasures({ aws, table, signal })) entries.push(entry);
  entries.push(...(await snapshotErasures(site)));
  return entries;
}

/** The ledger as the snapshot's audit table holds it. */
async function snapshotErasures(site: Readable): Promise<ErasureEntry[]> {
  const entries: ErasureEntry[] = [];
  const mark = Buffer.from('"erasures"');
  for (const table of site.manifest.tables.filter(({ role }) => role === toolRoles.audit)) {
    for (const source of sourcesOf(site, table)) {
      for await (const lines of source.open()) {
        for (const line of lines.filter((each) => each.includes(mark))) {
          const entry = lineErasure(
            parseItemLine(line, { name: table.name, described: table.description.keys }),
            table.name,
          );
          if (entry !== undefined) entries.push(entry);
        }
      }
    }
  }
  return entries;
}

/** The snapshot's entries that a table's ledger has not. */
export async function ledgerGrowth(site: RestoreSite, table: string): Promise<ErasureEntry[]> {
  const { aws, signal } = site;
  const known = new Set<string>();
  const nameOf = ({ salt, hash, subject = "" }: ErasureEntry) => `${salt}:${hash}:${subject}`;
  for await (const entry of tableErasures({ aws, table, signal })) known.add(nameOf(entry));
  return (await snapshotErasures(site)).filter((entry) => {
    const isNew = !known.has(nameOf(entry));
    known.add(nameOf(entry));
    return isNew;
  });
}

/** Adds the snapshot's entries that the table's ledger has not; resolves to how many. */
export async function growLedger(site: RestoreSite, table: string): Promise<number> {
  const { aws, signal } = site;
  const added = await ledgerGrowth(site, table);
  for (const entry of added) await writeErasure(entry, { aws, table, signal });
  return added.length;
}

/** Whether a table holds no trail yet, and no anchor vouches for one. */
export async function isBlankTrail(
  site: RestoreSite,
  { name: table }: Pick<TableSnapshot, "name">,
): Promise<boolean> {
  const place = await anchorPlace(site, table);
  if (place === undefined || (await readAnchor(place)) !== undefined) return false;
  return (await readHead(place)).sequence === 0;
}

/** Anchors the end of a restored chain, where there is no anchor. */
export async function anchorRestored(
  site: RestoreSite,
  { name: table }: Pick<TableSnapshot, "name">,
): Promise<void> {
  const place = await anchorPlace(site, table);
  if (place === undefined || (await readAnchor(place)) !== undefined) return;
  const head = await readHead(place);
  if (head.sequence > 0) await writeAnchor(place, head, undefined);
}

/**
 * Where the anchors of a trail in this table lie: in the trail's own bucket, or where there is none, as on trial, in a private one of the site.
 * Undefined where neither is there, or the first may not be looked at.
 */
export async function anchorPlace(
  { aws, signal, declaration, intoTable }: Pick<RestoreSite, "aws" | "signal" | "declaration" | "intoTable">,
  table: string,
): Promise<TrailPlace | undefined> {
  const own = declaration.buckets.find(({ access }) => access === "private")?.name;
  const kept = intoTable === undefined ? declaration.trail?.bucket : undefined;
  for (const bucket of new Set([kept ?? own, own])) {
    if (bucket === undefined) continue;
    const { state } = await findBucket(aws, bucket, signal);
    if (state === "here") return { aws, table, bucket, signal };
    if (state !== "missing") return undefined;
  }
  return undefined;
}
