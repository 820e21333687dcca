import { assertMayPut, maxTransactionItems, putNew } from "../aws/dynamodb/put-new.ts";
import { pause } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import {
  auditChain,
  chained,
  emptyHead,
  type AuditEvent,
  type ChainHead,
  type RecordAudit,
  type Writer,
} from "../model/audit.ts";
import type { AuditDetails } from "../model/audit-details.ts";
import { furtherHead, readAnchor, writeAnchor, type Anchor } from "./anchor.ts";
import { entryItem, readHead } from "./entries.ts";
import type { AuditSite } from "./site.ts";

/**
 * The trail of one run. Entries are durable when a call resolves; the anchor follows behind, one write at a time.
 * After a failed call the entries of that call are not written, unless the network ended after DynamoDB had them.
 */
export interface AuditTrail {
  /** Calls that come while a write is on its way share the next one. */
  record(event: AuditEvent): Promise<void>;
  /** All of them in their order, one call for each 100: what bulk commands use. */
  readonly recordAll: RecordAudit;
  /**
   * For what cannot be undone: records the intent (`phase: "begun"`) and only then acts; then the outcome, `done` with
   * what `outcome` tells of the result, or `failed`, and the failure passes.
   */
  irreversible<T>(
    intent: AuditEvent,
    act: () => Promise<T>,
    outcome?: (result: T) => AuditDetails,
  ): Promise<T>;
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
  /**
   * Milliseconds up to which a lost race waits by chance before it is run again, so that writers do not meet again and
   * again; doubled each time, up to 64 times. Tests shorten it.
   */
  readonly firstDelayMs?: number;
}

/**
 * Opens the trail for writing. Before anything is changed it is sure that the table can be written and that the
 * anchor is there: a trail without entries gets its first anchor here. Entries without an anchor mean that somebody
 * removed it: the loss becomes an entry of its own, which `verifyTrail` reports for good.
 *
 * The head is taken from the anchor, and the table is only asked when the place behind it turns out not to be free:
 * because others write, or because a run ended before its anchor. Where the tail of the table was cut, the chain so goes
 * on behind the anchor, and the gap remains to be seen.
 *
 * Why one item an entry and TransactWriteItems for groups: an item that held a whole group would be one write too, but
 * an index then finds groups, not the entries of a person, and one entry could not expire or be read alone. BatchWriteItem
 * takes no conditions, so two writers could overwrite each other's places. A transaction puts up to 100 entries, each on
 * condition that its place is free, in one call, all or none: no half group, and no fork. It costs twice the write
 * units of single puts, for entries of about 1 KB; a single entry goes as a plain conditional put.
 */
export async function openTrail(site: AuditSite, writer: Writer, options: TrailOptions): Promise<AuditTrail> {
  const [seen] = await Promise.all([
    readAnchor(site),
    assertMayPut(site.aws, { table: site.table, partition: "chain", key: placeOf(1) }),
  ]);
  const start = (anchor: Anchor | undefined, head = anchor?.head ?? emptyHead) =>
    makeTrail(site, { head, anchor }, { ...options, writer });
  if (seen?.head !== undefined) return start(seen);

  const stored = await readHead(site);
  if (stored.sequence === 0) return start(await writeAnchor(site, stored, seen));
  // Once more: another run may have begun the trail between the two answers.
  const anchor = await readAnchor(site);
  if (anchor?.head !== undefined) return start(anchor);
  const trail = start(anchor, stored);
  await trail.record({ action: "audit.anchor-lost", details: { sequence: stored.sequence } });
  return trail;
}

interface Waiting {
  readonly event: AuditEvent;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

function makeTrail(
  site: AuditSite,
  state: { head: ChainHead; anchor: Anchor | undefined },
  options: TrailOptions & { readonly writer: Writer },
): AuditTrail {
  const waiting: Waiting[] = [];
  let isWriting = false;
  let anchoring: Promise<void> | undefined;
  let anchorFailure: { readonly error: unknown } | undefined;

  async function write(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    // What is recorded in the same turn goes together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = waiting.splice(0, maxTransactionItems);
      const events = group.map(({ event }) => event);
      try {
        state.head = await append(site, { head: state.head, events }, options);
        anchoring ??= anchorAll().finally(() => {
          anchoring = undefined;
        });
        for (const { done } of group) done();
      } catch (error) {
        const why = notRecorded(events, error, await options.explain(error));
        for (const { failed } of group) failed(why);
      }
    }
    isWriting = false;
  }

  async function anchorAll(): Promise<void> {
    try {
      while ((state.anchor?.head?.sequence ?? -1) < state.head.sequence) {
        state.anchor = await writeAnchor(site, state.head, state.anchor);
      }
      anchorFailure = undefined;
    } catch (error) {
      anchorFailure = { error };
    }
  }

  const record = (event: AuditEvent) =>
    new Promise<void>((done, failed) => {
      waiting.push({ event, done, failed });
      void write();
    });

  return {
    record,
    async recordAll(events) {
      const results = await Promise.allSettled(events.map(record));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    async irreversible(intent, act, outcome) {
      const phase = (name: string, details: AuditDetails = {}) =>
        record({ ...intent, details: { ...intent.details, ...details, phase: name } });
      await phase("begun");
      let result;
      try {
        result = await act();
      } catch (error) {
        await phase("failed", { error: error instanceof Error ? error.name : "unknown" });
        throw error;
      }
      await phase("done", outcome?.(result));
      return result;
    },
    async settle() {
      await anchoring;
      // Once more where that was refused, or ended just before the last entries came.
      await anchorAll();
      if (anchorFailure !== undefined) throw anchorFailure.error;
    },
  };
}

/** Puts the events behind the head, or behind whatever somebody else put there meanwhile. Resolves to the new head. */
async function append(
  site: AuditSite,
  { head: known, events }: { head: ChainHead; events: readonly AuditEvent[] },
  { writer, firstDelayMs = 8 }: TrailOptions & { readonly writer: Writer },
): Promise<ChainHead> {
  let head = known;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const entries = chained(head, events, writer);
    const outcome = await putNew(site.aws, {
      table: site.table,
      partition: "chain",
      items: entries.map(entryItem),
    });
    if (outcome === "written") return entries.at(-1) ?? head;
    await pause(Math.random() * firstDelayMs * Math.min(2 ** attempt, 64), undefined);
    // Without the run's signal: the outcome of what was done before Ctrl-C is recorded all the same.
    head = furtherHead(await readHead({ ...site, signal: undefined }), head);
  }
  throw new CliError(`too many others write to the audit trail: ${attempts} attempts in vain`, {
    hint: "run the command again in a moment",
  });
}

function notRecorded(
  events: readonly AuditEvent[],
  error: unknown,
  explained: CliError | undefined,
): unknown {
  const known = error instanceof CliError ? error : explained;
  if (known === undefined) return error;
  const actions = [...new Set(events.map(({ action }) => action))].join(", ");
  const hint = known.hint === undefined ? {} : { hint: known.hint };
  return new CliError(`${actions} is not in the audit trail: ${known.message}`, {
    ...hint,
    cause: known.cause ?? known,
  });
}

function placeOf(sequence: number) {
  return { chain: { S: auditChain }, sequence: { N: String(sequence) } };
}

/** A trail that keeps nothing: for dry runs, and where the configuration turns it off. */
export const noTrail: AuditTrail = {
  async record() {},
  async recordAll() {},
  irreversible: (_intent, act) => act(),
  async settle() {},
};
