import { trailOf } from "../audit/place.ts";
import type { AuditTrail } from "../audit/trail.ts";
import { transact } from "../aws/dynamodb/transact.ts";
import { deleteObjects } from "../aws/s3/deletion.ts";
import { removeUpload } from "../aws/s3/multipart.ts";
import { deleteUser, disableUser, signOutUser } from "../aws/cognito/users-change.ts";
import { readPoolAccount } from "../aws/cognito/users-list.ts";
import { isDenied } from "../aws/setting.ts";
import { ledgerEntry, writeErasure, type ErasureEntry } from "../backup/erasures.ts";
import { chunked, inParallel } from "../concurrency.ts";
import { assertUnblocked, obstaclesOf, type ErasurePlan, type ErasureSite } from "./erasure-plan.ts";
import { assertNotHeld, holdsOfPerson } from "./hold.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { countsOf } from "../model/counts.ts";
import { erasureOrder } from "../model/graph.ts";
import { parentsOf } from "../model/links.ts";
import { deleteCounted, deletionOf } from "./delete-counted.ts";
import { findMentions } from "./mentions.ts";
import { rowsLeft } from "./row-traces.ts";
import { toldId } from "../model/user-id.ts";
import { findTraces, isErased, type OwnedItem, type PlannedChange, type Traces } from "./traces.ts";

export interface ErasingSite extends ErasureSite {
  readonly trail: Pick<AuditTrail, "record" | "irreversible">;
}

/** What came of an erasure. */
export interface Erased {
  /** Each id of the person as the ledger has it. */
  readonly person: readonly ErasureEntry[];
  readonly at: Date;
  /** What there was when the removal began, which items were deleted, and out of which a name was taken. */
  readonly found: Traces;
  readonly deleted: readonly OwnedItem[];
  readonly changed: readonly PlannedChange[];
  /** What the last search still found; nothing where all went well. */
  readonly left: Traces;
  /** Where else the person is still named, where that was asked for. */
  readonly mentions: ErasurePlan["mentions"];
  readonly isAccountLeft: boolean;
  /** What was refused, and in which words. */
  readonly failures: readonly string[];
}

/** Buckets that are worked on at once. */
const sideBySide = 4;

/** As many of the largest items, 400 KB each, as one transaction may touch: 4 MB. */
const itemsPerTransaction = 10;

/** Each deletes what goes by something before that, and leaves what it goes by where one of them was refused. */
const mostRounds = 3;

/**
 * Erases a person: the account is disabled and signed out first, so that nothing new comes; then the person goes onto the ledger that
 * restores honour; then files in every version, items, and the account last, by which the same command finds the person again
 * after whatever ended it. What is found then is what a new search finds, not what was meant to be done.
 * @throws CliError, with nothing changed, where the person is under a legal hold by now.
 */
export async function erase(
  site: ErasingSite,
  plan: ErasurePlan,
  person: readonly ErasureEntry[],
): Promise<Erased> {
  const { traces } = plan;
  await assertNotHeld(site, plan.ids);
  const userId = toldId(plan.userId);
  const details = {
    items: traces.items.length + rowsLeft(traces.rows),
    versions: traces.versions.length,
    bytes: traces.versions.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  return site.trail.irreversible(
    { action: "user.erased", userId, details },
    () => carryOut(site, plan, person),
    told,
  );
}

function told(erased: Erased) {
  const failed = leftIn(erased.left) + Number(erased.isAccountLeft);
  return { status: isComplete(erased) ? "complete" : "incomplete", failed };
}

/** Whether nothing is left, and nothing was refused on the way: a hold that came too late for what it holds is not passed over. Pure. */
export function isComplete({
  left,
  isAccountLeft,
  failures,
}: Pick<Erased, "left" | "isAccountLeft" | "failures">): boolean {
  return leftIn(left) === 0 && !isAccountLeft && failures.length === 0;
}

/** How much a search still found. Pure. */
function leftIn({ items, versions, uploads, changes, rows }: Traces): number {
  return items.length + versions.length + uploads.length + changes.length + rowsLeft(rows);
}

async function carryOut(
  site: ErasingSite,
  plan: ErasurePlan,
  person: readonly ErasureEntry[],
): Promise<Erased> {
  const { aws, known } = site;
  const { account, ids } = plan;
  const failures: string[] = [];
  const pool = account === undefined ? undefined : known;
  const { username = "" } = account ?? {};
  const addHolds = async ({ held }: Pick<Traces, "held">) => {
    const ofPerson = (await holdsOfPerson(site, ids)).map(({ reason }) => reason);
    const told = [...held, ...ofPerson].map((reason) => `under a legal hold since: ${reason}`);
    failures.push(...told.filter((each) => !failures.includes(each)));
  };
  // The plan is as old as the answer to its question. Before the ledger, by which no restore brings anything of them back.
  const found = await findTraces(site, plan, plan.pseudonym);
  await addHolds(found);
  if (failures.length > 0) {
    const nothing = {
      deleted: [],
      changed: [],
      left: found,
      mentions: undefined,
      isAccountLeft: pool !== undefined,
    };
    return { person, at: site.now(), found, ...nothing, failures };
  }
  await assertUnblocked(site, found);
  if (pool !== undefined) {
    await disableUser(aws, pool.poolId, { ...pool, username });
    await signOutUser(aws, pool.poolId, { ...pool, username });
  }
  await intoLedger(site, plan, person);
  const deleted: OwnedItem[] = [];
  const changed: PlannedChange[] = [];
  // Behind the ledger, which can take long, and once more for what came meanwhile, by a page that was still open.
  let left = found;
  for (let round = 1; ; round += 1) {
    left = await findTraces(site, { ...plan, gone: [...deleted, ...changed] }, plan.pseudonym);
    await addHolds(left);
    failures.push(...(await obstaclesOf(site, left)));
    if (round > mostRounds || isErased(left) || failures.length > 0) break;
    await removeTraces(site, { traces: left, deleted, changed, failures, ids, addHolds });
  }
  const mentions = plan.mentions === undefined ? undefined : await findMentions(site, plan, left);
  let isAccountLeft = pool !== undefined;
  if (pool !== undefined && isErased(left)) await addHolds(left);
  if (pool !== undefined && isErased(left) && failures.length === 0) {
    const at = { ...pool, username };
    await deleteUser(aws, pool.poolId, at);
    isAccountLeft = (await readPoolAccount(aws, pool.poolId, at)) !== undefined;
  }
  return { person, at: site.now(), found, deleted, changed, left, mentions, isAccountLeft, failures };
}

/** The person as the ledger will have them, one salt for all ids: which of them belong together is told, and nobody by name. Pure. */
export function personOf(
  { listed, unlisted, kind }: Pick<ErasurePlan, "listed" | "unlisted" | "kind">,
  { salt, now }: { readonly salt: string; readonly now: Date },
): ErasureEntry[] {
  const own = listed[0]?.salt ?? salt;
  const of = kind === undefined ? {} : { subject: kind };
  return [...listed, ...unlisted.map((id) => ({ ...ledgerEntry(id, own, now), ...of }))];
}

async function intoLedger(
  { aws, declaration, store, signal }: ErasingSite,
  { listed }: Pick<ErasurePlan, "listed">,
  person: readonly ErasureEntry[],
): Promise<void> {
  for (const entry of person.filter((each) => !listed.includes(each)))
    await writeErasure(entry, { aws, table: trailOf({ aws, declaration }).table, store, signal });
}

interface Removal {
  readonly traces: Traces;
  readonly deleted: OwnedItem[];
  readonly changed: PlannedChange[];
  readonly failures: string[];
  readonly ids: readonly string[];
  /** Adds to the failures what holds the person by now. */
  readonly addHolds: (traces: Pick<Traces, "held">) => Promise<void>;
}

/**
 * All of it; rows of databases first, but for the end of their transactions, which comes last: that a row can go is proved before its
 * file does, and where something else is refused the rows are there as before.
 */
async function removeTraces(site: ErasingSite, removal: Removal): Promise<void> {
  const { traces, failures, addHolds } = removal;
  const { rows } = site;
  if (rows === undefined || rowsLeft(traces.rows) === 0) return removeThings(site, removal);
  await rows.erase(traces.rows, async () => {
    // Rows are by now as they will be: those that somebody else has changed, and those that came meanwhile, keep their files.
    const keys = new Set([...traces.versions, ...traces.uploads].map(({ key }) => key));
    const named = await rows.namedByOthers([], [...keys]);
    const versions = traces.versions.filter(({ key }) => !named.has(key));
    const uploads = traces.uploads.filter(({ key }) => !named.has(key));
    await removeThings(site, { ...removal, traces: { ...traces, versions, uploads } });
    await addHolds(traces);
    return failures.length === 0;
  });
}

/**
 * Uploads and files, then items and names in items that stay, children before parents, which keep their names while something that goes by
 * them is there; the profile or account, by which the same command finds the person again, when all else is gone.
 */
async function removeThings(
  site: ErasingSite,
  { traces, deleted, changed, failures, ids, addHolds }: Removal,
): Promise<void> {
  const { aws, signal } = site;
  await inParallel(traces.uploads, sideBySide, (upload) =>
    telling(failures, upload.bucket, () => removeUpload(aws, upload)),
  );
  const buckets = new Set(traces.versions.map(({ bucket }) => bucket));
  await inParallel(buckets, sideBySide, async (bucket) => {
    const doomed = traces.versions.filter((each) => each.bucket === bucket);
    await telling(failures, bucket, async () => {
      const outcome = await deleteObjects(
        aws,
        bucket,
        doomed.map(({ key, version }) => ({ key, version })),
        signal,
      );
      failures.push(...outcome.failures.map(({ key, code }) => `${bucket}/${key}: ${code}`));
    });
  });
  // Files take their time, and no condition of an item knows the holds of its person.
  if (traces.versions.length > 0) await addHolds(traces);
  // Those that name files go behind them: what is left after an interruption is still named.
  if (failures.length > 0) return;
  const known = erasureOrder(site.model);
  const ordered = "order" in known ? known.order : [];
  // What has no place in the order goes behind it, as it comes.
  const order = new Set([...ordered, ...[...traces.changes, ...traces.items].map(({ entity }) => entity)]);
  const { accounts } = site.model.features ?? {};
  const isFoundBy = ({ entity, table, key }: OwnedItem) =>
    entity === accounts?.entity ||
    (table === site.known?.documents.table && ids.includes(key["userId"]?.S ?? ""));
  /** Of which something was refused, or stays since it is what that is found by. */
  const staying = new Set<string>();
  const remove = async (isMeant: (item: OwnedItem) => boolean) => {
    for (const entity of order) {
      const isOwn = (item: OwnedItem) => item.entity === entity && isMeant(item);
      const items = traces.items.filter(isOwn);
      const acts = [
        ...traces.changes.filter(isOwn).map((change) => () => changeUnchanged(site, change, changed)),
        ...(items.length > 0 ? [() => deleteUnchanged(site, items, deleted)] : []),
      ];
      for (const act of staying.has(entity) ? [] : acts)
        if (!(await telling(failures, tableOf(entity), act))) staying.add(entity);
      if (staying.has(entity)) for (const parent of parentsOf(site.model, entity)) staying.add(parent);
    }
  };
  const tables = new Map([...traces.changes, ...traces.items].map(({ entity, table }) => [entity, table]));
  const tableOf = (entity: string) => tables.get(entity) ?? entity;
  await remove((item) => !isFoundBy(item));
  if (failures.length > 0 || staying.size > 0) return;
  await addHolds(traces);
  if (failures.length === 0) await remove(isFoundBy);
}

/** Takes a name out of an item that is as it was found: what somebody else has written there meanwhile stays, and what is held. @returns whether it was. */
async function changeUnchanged(
  { aws, signal }: Pick<ErasingSite, "aws" | "signal">,
  planned: PlannedChange,
  changed: PlannedChange[],
): Promise<boolean> {
  const { table, key, attribute, from, to, guards } = planned;
  const change = to === undefined ? { remove: [attribute] } : { set: [{ path: attribute, value: to }] };
  const conditions = [{ path: attribute, is: "equal" as const, to: from }, ...guards];
  const { applied } = await updateAttributes(aws, {
    table,
    key,
    ...change,
    conditions,
    returns: "none",
    signal,
  });
  if (applied) changed.push(planned);
  return applied;
}

/**
 * Deletes those items of a table that still name whom they named, and that nothing holds, and adds them to `deleted`. What is found by an
 * attribute may be somebody else's a moment later, and an index tells late. @returns whether all of them went.
 */
async function deleteUnchanged(
  site: ErasingSite,
  items: readonly OwnedItem[],
  deleted: OwnedItem[],
): Promise<boolean> {
  const { aws, model, signal } = site;
  const before = deleted.length;
  const counted = items.filter((item) => countsOf(model, item.entity).length > 0);
  for (const item of counted) if (await deleteCounted(site, item)) deleted.push(item);
  const others = items.filter((item) => !counted.includes(item));
  await inParallel(chunked(others, itemsPerTransaction), sideBySide, async (batch) => {
    let wanted = batch;
    // What is gone, somebody else's or held is left out; the next search tells of the rest.
    while (wanted.length > 0) {
      const refusal = await transact(aws, wanted.map(deletionOf), signal);
      if (refusal === undefined) {
        deleted.push(...wanted);
        return;
      }
      wanted = wanted.filter((_, at) => !refusal.refused.includes(at));
    }
  });
  return deleted.length - before === items.length;
}

/** A right that is missing in one place is told, and the rest goes on. @returns whether all was done. */
async function telling(
  failures: string[],
  where: string,
  act: () => Promise<boolean | void>,
): Promise<boolean> {
  try {
    return (await act()) !== false;
  } catch (error) {
    if (!isDenied(error)) throw error;
    failures.push(`${where}: ${error instanceof Error ? error.name : "denied"}`);
    return false;
  }
}
