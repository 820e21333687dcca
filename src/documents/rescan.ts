import { createHash } from "node:crypto";
import { getObject } from "../aws/s3/objects.ts";
import { errorName } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { isUnscanned, type DocumentEntry, type ScanResult } from "../model/documents.ts";
import { timeOf } from "../model/json.ts";
import type { Nobodies } from "../model/nobodies.ts";
import { startScan } from "../scan/scan.ts";
import type { Verdict } from "../scan/verdict.ts";
import { changeEntries } from "./entry-changes.ts";
import type { EntryChange, StoredEntry } from "./entry.ts";
import { failureOf } from "./failure.ts";
import { entriesByUser } from "./list.ts";
import { inParallel } from "../concurrency.ts";
import { isUndecided, judgementChange, mayBeReady, type Scanner } from "./scanning.ts";
import type { ChangingSite } from "./site.ts";

/** Which stored documents are to be scanned. */
export type Due = "all" | "unscanned" | { readonly before: Date };

/** Whether a document has bytes that can be scanned, and is due. A deleted one is only where without a scan it could not be brought back. */
function isDue({ rows }: Pick<ChangingSite, "rows">, document: DocumentEntry, due: Due): boolean {
  const { status, s3Key, scannedAt, scanResult } = document;
  // Of the infected ones only those are stored that an earlier scan took for clean; the others answer that they are not.
  if (s3Key === "" || status === "UPLOADING") return false;
  if (status === "DELETED" && (scanResult === "INFECTED" || mayBeReady(rows, scanResult))) return false;
  if (due === "all") return true;
  if (due === "unscanned") return isUnscanned(document);
  return isUnscanned(document) || (timeOf(scannedAt) ?? 0) < due.before.getTime();
}

/** What a scan came to for one document. */
export interface Rescanned {
  readonly entry: StoredEntry;
  readonly before: ScanResult | undefined;
  readonly scanResult: ScanResult;
  readonly detail: string | undefined;
}

interface RescanOutcome {
  readonly scanned: readonly Rescanned[];
  readonly failures: readonly { readonly entry: StoredEntry; readonly failure: CliError }[];
}

const scannedAtOnce = 4;

interface Rescan {
  readonly userId: string | undefined;
  readonly due: Due;
  readonly dryRun: boolean;
  /** Counts what is passed over where everybody's are scanned. */
  readonly nobodies: Nobodies;
}

/** Scans what is due of one user or of all, user by user; a dry run answers what it would scan as `due`. */
export async function* rescanEach(
  site: ChangingSite,
  scanner: Scanner,
  { userId, due, dryRun, nobodies }: Rescan,
): AsyncGenerator<RescanOutcome & { readonly due: readonly StoredEntry[] }> {
  for await (const entries of entriesByUser(site, userId, nobodies)) {
    const wanted = entries.filter(({ document }) => isDue(site, document, due));
    const outcome = dryRun ? { scanned: [], failures: [] } : await rescan(site, scanner, wanted);
    yield { ...outcome, due: wanted };
  }
}

/**
 * Scans stored documents of one user and writes the verdicts, in one write to an item. What is found infected is
 * `INFECTED` from then on and no link to it is given; what is found clean again becomes `READY`. A verdict that says
 * nothing (engine down, too large) never takes the place of one that did. Bytes that are not those of the entry's hash
 * are a failure, whatever the engine says.
 */
async function rescan(
  site: ChangingSite,
  scanner: Scanner,
  entries: readonly StoredEntry[],
): Promise<RescanOutcome> {
  const failures: { entry: StoredEntry; failure: CliError }[] = [];
  const verdicts: { entry: StoredEntry; verdict: Verdict }[] = [];
  await inParallel(entries, scannedAtOnce, async (entry) => {
    try {
      const verdict = await scanStored(site, scanner, entry);
      if (verdict !== undefined) verdicts.push({ entry, verdict });
    } catch (error) {
      failures.push({ entry, failure: failureOf(site, error) });
    }
  });
  const now = site.now();
  const changes = verdicts.flatMap((each) => changeOf(site, each, now) ?? []);
  const { missing, refused } = await site.audit.change(
    verdicts.map(eventOf),
    () => changeEntries(site, changes),
    (outcome) => verdicts.filter((each) => isAmong(outcome.changed, each)).map(eventOf),
  );
  failures.push(
    ...[...missing, ...refused.map(({ entry }) => entry)].map((entry) => ({
      entry,
      failure: new CliError("its entry changed or went while it was scanned; the verdict was not written"),
    })),
  );
  const order = new Map(entries.map((entry, at) => [entry, at]));
  const scanned = verdicts
    .toSorted((one, other) => (order.get(one.entry) ?? 0) - (order.get(other.entry) ?? 0))
    .map(({ entry, verdict }): Rescanned => ({
      entry,
      before: entry.document.scanResult,
      scanResult: verdict.result,
      detail: isUndecided(verdict)
        ? verdict.detail
        : verdict.result === "INFECTED"
          ? verdict.signature
          : undefined,
    }));
  return { scanned, failures };
}

function isAmong(changed: readonly StoredEntry[], { entry }: { readonly entry: StoredEntry }): boolean {
  return changed.some(({ document }) => document.id === entry.document.id);
}

/** Undefined for an infected document whose bytes were never stored, and for a deleted one whose bytes are gone. */
async function scanStored(
  site: ChangingSite,
  scanner: Scanner,
  { document, bucket }: StoredEntry,
): Promise<Verdict | undefined> {
  const { aws, signal } = site;
  let body: AsyncIterable<Uint8Array>;
  try {
    ({ body } = await getObject(aws, { bucket, key: document.s3Key, signal }));
  } catch (error) {
    if (errorName(error) !== "NoSuchKey") throw error;
    if (document.status === "INFECTED" || document.status === "DELETED") return undefined;
    throw new CliError("its object is not there", { cause: error });
  }
  const hash = createHash("sha256");
  const scan = startScan(scanner.clamd, { ...scanner, signal });
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      await scan.write(chunk);
    }
    const verdict = await scan.end();
    const isRight = document.sha256 === undefined || hash.digest("hex") === document.sha256;
    if (!isRight && verdict.result === "CLEAN") {
      throw new CliError("what is stored are not the bytes that were uploaded (their hash differs)");
    }
    return verdict;
  } finally {
    scan.discard();
  }
}

function changeOf(
  { rows }: Pick<ChangingSite, "rows">,
  { entry, verdict }: { entry: StoredEntry; verdict: Verdict },
  now: Date,
): EntryChange | undefined {
  if (isUndecided(verdict) && !isUnscanned(entry.document)) return undefined;
  if (entry.document.status === "READY" && isUndecided(verdict) && !mayBeReady(rows, verdict.result))
    return undefined;
  const { set, remove } = judgementChange(verdict, now);
  const isDeleted = entry.document.status === "DELETED";
  const status =
    isDeleted || isUndecided(verdict) ? undefined : verdict.result === "INFECTED" ? "INFECTED" : "READY";
  return {
    entry,
    set: { ...set, status },
    remove: remove.filter((name) => entry.raw[name] !== undefined),
    unchanged: ["status", "s3Key"],
  };
}

function eventOf({ entry, verdict }: { entry: StoredEntry; verdict: Verdict }): AuditEvent {
  const { id, name } = entry.document;
  return {
    action: "document.scanned",
    userId: entry.userId,
    details: {
      documentId: id,
      name,
      scanResult: verdict.result,
      ...(verdict.result === "INFECTED" ? { signature: verdict.signature } : {}),
      ...(isUndecided(verdict) ? { reason: verdict.reason } : { engine: verdict.engine }),
    },
  };
}
