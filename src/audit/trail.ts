import { assertMayPut, maxTransactionItems, putNew } from "../aws/dynamodb/records.ts";
import { backOff } from "../retry.ts";
import { CliError } from "../errors.ts";
import {
  chained,
  emptyHead,
  type AuditEntry,
  type AuditEvent,
  type ChainHead,
  type Signer,
  type Writer,
} from "../model/audit.ts";
import { auditChain } from "../model/tool-tables.ts";
import { keepAnchor, readAnchor, writeAnchor, type Anchor } from "./anchor.ts";
import { followChain, type Disbelieved, type Judge } from "./belief.ts";
import { around, type Around, type NumberedEvent } from "./around.ts";
import { announcements, newSigner } from "./claims.ts";
import { readHead } from "./entries.ts";
import { readEvidence } from "./evidence.ts";
import type { Committed, Told } from "./commit.ts";
import type { TrailPlace } from "./place.ts";
import { makeClaim, type RunClaim } from "./run-claim.ts";
import { assertLockable, assertNotMoved } from "./vault.ts";

/**
 * The trail of one run. Entries are durable when a call resolves; the anchor follows behind, one write at a time.
 * After a failed call the entries of that call are not written, unless the network ended after DynamoDB had them; what
 * they were to tell of stays announced in the bucket, and `verifyTrail` tells of it as interrupted.
 */
export interface AuditTrail extends Around {
  /**
   * For what is taken out, before it is handed over, and for what is found. Calls that come while a write is on its way share
   * the next one; several events are written in their order, 99 in one call, and none behind a call that failed.
   */
  record(told: Told): Promise<void>;
  /** Resolves when what was recorded is anchored; rejects when that was refused: the next run does it then. */
  settle(): Promise<void>;
}

/**
 * How often a place in the chain is tried for. Each lost race is somebody else's entry, so that among n writers one
 * waits for at most n - 1 others each time round.
 */
const attempts = 60;

export interface TrailOptions {
  /** What an error of AWS means; undefined for everything else. */
  explain(error: unknown): Promise<CliError | undefined>;
  /** Resolves when something is about to be changed: before, nothing is written. Left out, it is. */
  readonly begins?: Promise<void>;
  /** The bucket was named by a setting: where a trail with entries has no anchor there, they lie elsewhere. */
  readonly isBucketChosen?: boolean;
  /** Told of what others put into the chain and what was done about it. */
  readonly warn: (text: string) => void;
  /** Told of entries that are written; nobody waits for it. */
  readonly onWritten?: ((entries: readonly AuditEntry[]) => void) | undefined;
  /**
   * Milliseconds up to which a lost race waits by chance before it is run again, so that writers do not meet again and
   * again; doubled each time, up to 64 times. Tests shorten it.
   */
  readonly firstDelayMs?: number;
}

/** A writer of whom it may still be asked who it is. */
export interface OpeningWriter extends Omit<Writer, "actor"> {
  readonly actor: string | Promise<string>;
}

/**
 * Opens the trail for writing. Before anything is changed it is sure that the table can be written and that the
 * anchor is there: a trail without entries gets its first anchor here. Entries without an anchor mean that somebody
 * removed or damaged it: the loss becomes an entry of its own, which `verifyTrail` reports for good. Where the bucket was
 * chosen and never had an anchor of this trail, it was chosen too early, and nothing is written.
 *
 * The head is taken from the anchor, and the table is only asked when the place behind it turns out not to be free:
 * because others write, because a run ended before its anchor, or because somebody put something there. Then the chain is
 * computed again from the anchor on (`followChain`), and what does not belong to it is passed over, with an entry
 * `audit.chain-broken` that says so. Where the tail of the table was cut, the chain goes on behind the anchor, and the gap
 * remains to be seen.
 *
 * Why one item an entry and TransactWriteItems for groups: an item that held a whole group would be one write too, but
 * an index then finds groups, not the entries of a person, and one entry could not expire or be read alone. BatchWriteItem
 * takes no conditions, so two writers could overwrite each other's places. A transaction puts up to 100 entries, each on
 * condition that its place is free, in one call, all or none: no half group, and no fork. It costs twice the write
 * units of single puts, for entries of about 1 KB; a single entry goes as a plain conditional put.
 */
export async function openTrail(
  site: TrailPlace,
  writer: OpeningWriter,
  options: TrailOptions,
): Promise<AuditTrail> {
  // Before the run announces itself there: a site as it comes waits for neither.
  await Promise.all([assertLockable(site), options.isBucketChosen === true && assertNotMoved(site)]);
  const signer = newSigner();
  const claim = makeClaim(site, { writer: signer.writer, actor: Promise.resolve(writer.actor) });
  // The run's key, beside the look at anchor and table: no change has to wait for it.
  const begun = options.begins?.then(claim.announce) ?? claim.announce();
  const [seen, actor] = await Promise.all([
    readAnchor(site),
    writer.actor,
    assertMayPut(site.aws, { table: site.table, partition: "chain", key: placeOf(1) }),
  ]);
  const signing = { ...writer, ...signer, actor };
  const start = (anchor: Anchor | undefined, head = anchor?.head ?? emptyHead) =>
    makeTrail(site, { head, anchor }, { ...options, writer: signing, claim });
  if (seen?.head !== undefined) return start(seen);
  await begun;

  const [stored, { anchored: kept }] = await Promise.all([readHead(site), readEvidence(site)]);
  if (stored.sequence === 0 && kept === undefined) return start(await writeAnchor(site, stored, seen));
  // Once more: another run may have begun the trail between the two answers.
  const anchor = await readAnchor(site);
  if (anchor?.head !== undefined) return start(anchor);
  const trail = start(anchor, kept ?? stored);
  await trail.record({ action: "audit.anchor-lost", details: { sequence: (kept ?? stored).sequence } });
  options.warn(
    `the anchor of the audit trail in ${site.bucket} is ${seen === undefined ? "gone" : "damaged"}: made anew, and told of as lost for good (audit.anchor-lost)`,
  );
  return trail;
}

/** Events that are written in one call, all or none. */
interface Waiting {
  readonly events: readonly NumberedEvent[];
  /** What is done in the same call; then nobody else's events go with it. */
  readonly beside?: Beside;
  readonly done: (isDone: boolean) => void;
  readonly failed: (error: unknown) => void;
}

type Beside = Pick<Committed, "steps" | "signal">;

/** One place is left for the entry that tells of a broken chain. */
const mostAtOnce = maxTransactionItems - 1;

/** The first of them that fit into one call. */
function together(waiting: readonly Waiting[]): readonly Waiting[] {
  let count = 0;
  const end = waiting.findIndex(
    ({ events, beside }, at) =>
      (count += events.length) > mostAtOnce || (at > 0 && (beside ?? waiting[0]?.beside) !== undefined),
  );
  return end === -1 ? waiting : waiting.slice(0, end);
}

function makeTrail(
  site: TrailPlace,
  state: { head: ChainHead; anchor: Anchor | undefined },
  { claim, ...options }: TrailOptions & { readonly writer: Writer & Signer; readonly claim: RunClaim },
): AuditTrail {
  let waiting: readonly Waiting[] = [];
  let isWriting = false;
  let anchoring: Promise<void> | undefined;
  let anchorFailure: { readonly error: unknown } | undefined;
  const announced = announcements({ ...site, signal: undefined });

  async function write(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    // What is recorded in the same turn goes together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = together(waiting);
      waiting = waiting.slice(group.length);
      const events = group.flatMap((each) => each.events);
      try {
        await claim.stands();
        const beside = group[0]?.beside;
        const head = await append(site, { head: state.head, events, announced, beside }, options);
        if (head !== "refused") {
          state.head = head;
          anchoring ??= anchorAll().finally(() => {
            anchoring = undefined;
          });
        }
        for (const { done } of group) done(head !== "refused");
      } catch (error) {
        const isOfChange = group.some(({ beside }) => beside !== undefined);
        const why = isOfChange ? error : notRecorded(events, error, await options.explain(error));
        for (const { failed } of group) failed(why);
      }
    }
    isWriting = false;
  }

  async function anchorAll(): Promise<void> {
    try {
      while ((state.anchor?.head?.sequence ?? -1) < state.head.sequence) {
        const { head } = state;
        [state.anchor] = await Promise.all([writeAnchor(site, head, state.anchor), keepAnchor(site, head)]);
      }
      anchorFailure = undefined;
    } catch (error) {
      anchorFailure = { error };
    }
  }

  const recordAtOnce = (events: readonly NumberedEvent[], beside?: Beside) =>
    new Promise<boolean>((done, failed) => {
      waiting = [...waiting, { events, beside, done, failed }];
      void write();
    });
  const record = async (told: NumberedEvent | readonly NumberedEvent[]) => {
    const all = [told].flat();
    for (let start = 0; start < all.length; start += mostAtOnce)
      await recordAtOnce(all.slice(start, start + mostAtOnce));
  };
  return {
    record,
    ...around({
      record,
      commit: async (_aws, { told, ...beside }) => await recordAtOnce([told].flat(), beside),
      claim,
      warn: options.warn,
    }),
    async settle() {
      const closing = claim.close();
      await anchoring;
      // Once more where that was refused, or ended just before the last entries came.
      await anchorAll();
      await closing;
      if (anchorFailure !== undefined) throw anchorFailure.error;
    },
  };
}

/**
 * Puts the events behind the head, or behind whatever others put there meanwhile, and does in the same call what is to be done
 * beside. Resolves to the new head.
 */
async function append(
  site: TrailPlace,
  {
    head: known,
    events,
    announced,
    beside,
  }: {
    head: ChainHead;
    events: readonly NumberedEvent[];
    announced: Judge["announced"];
    beside: Beside | undefined;
  },
  { writer, warn, onWritten, firstDelayMs = 8 }: TrailOptions & { readonly writer: Writer & Signer },
): Promise<ChainHead | "refused"> {
  let head = known;
  let broken: Disbelieved | undefined;
  // Without the run's signal: the outcome of what was done before Ctrl-C is recorded all the same.
  const tries = backOff({ attempts, firstDelayMs: 2 * firstDelayMs, longestDelayMs: 64 * firstDelayMs });
  for (;;) {
    const entries =
      broken === undefined
        ? chained(head, events, writer)
        : chained({ ...head, sequence: broken.to }, [passedOver(head, broken), ...events], writer);
    const outcome = await putNew(site.aws, {
      table: site.table,
      partition: "chain",
      records: entries.map((entry) => ({ ...entry })),
      beside: beside?.steps,
      signal: beside?.signal,
    });
    if (outcome === "refused") return outcome;
    if (outcome === "written") {
      if (broken !== undefined) warn(brokenText(broken));
      onWritten?.(entries);
      return entries.at(-1) ?? head;
    }
    if (!(await tries.again())) break;
    const judge = { now: writer.now(), announced };
    ({ head, disbelieved: broken } = await followChain({ ...site, signal: undefined }, head, judge));
  }
  throw new CliError(`too many others write to the audit trail: ${attempts} attempts in vain`, {
    hint: "run the command again in a moment",
  });
}

function passedOver({ sequence }: ChainHead, { from, to }: Disbelieved): AuditEvent {
  return { action: "audit.chain-broken", details: { sequence, from: String(from), to: String(to) } };
}

function brokenText({ from, to }: Disbelieved): string {
  const entries = from === to ? `entry ${from} was` : `entries ${from} to ${to} were`;
  return `the audit trail's ${entries} not written by mawps: passed over; mawps audit verify tells more`;
}

function notRecorded(
  events: readonly AuditEvent[],
  error: unknown,
  explained: CliError | undefined,
): unknown {
  const known = error instanceof CliError ? error : explained;
  if (known === undefined) return error;
  const actions = [...new Set(events.map(({ action }) => action))].join(", ");
  return new CliError(`${actions} is not in the audit trail: ${known.message}`, {
    hint: known.hint,
    cause: known.cause ?? known,
  });
}

function placeOf(sequence: number) {
  return { chain: auditChain, sequence };
}
