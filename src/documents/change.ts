import { lookup } from "mime-types";
import { headObject, setObjectTags } from "../aws/s3/objects.ts";
import { forbidden } from "../audit/holds.ts";
import { CliError } from "../errors.ts";
import type { AuditAction, AuditEvent } from "../model/audit.ts";
import {
  documentNameFault,
  legalHold,
  mayBecome,
  parseDocument,
  restoredStatus,
  type DocumentEntry,
} from "../model/documents.ts";
import { timeOf } from "../model/json.ts";
import { siteSecrets } from "../model/mawps.ts";
import { secretPaths } from "../model/secrets.ts";
import { backOff } from "../retry.ts";
import { tagsWithoutDue } from "./due-tag.ts";
import { entryWithId } from "./entries.ts";
import { changeEntries, putAway } from "./entry-changes.ts";
import { bringBack } from "./entry-return.ts";
import type { ChangeOutcome, EntryChange, StoredEntry, UserDocuments } from "./entry.ts";
import { inParallel } from "../concurrency.ts";
import { mayBeReady } from "./scanning.ts";
import type { ChangingSite, DocumentSite } from "./site.ts";

/** A change that was decided on: what to write, and what the trail will say of it. */
export interface PlannedChange extends EntryChange {
  readonly event: AuditEvent;
  /** Not a change where it stands: away from where the website sees it, or back to there. */
  readonly moves?: "away" | "back";
  /**
   * Decides anew on what somebody else made of the entry meanwhile; left out where the change depends on what was read.
   * Undefined: nothing is left to do.
   */
  readonly again?: (entry: StoredEntry) => PlannedChange | undefined;
}

/** What is to be done to some of a user's documents; those that stand so already are left. */
export interface ChangePlan {
  readonly changes: readonly PlannedChange[];
  readonly unchanged: readonly StoredEntry[];
}

/**
 * Decides a soft delete: the objects stay until retention removes them. `hard` takes the entries away from where the website
 * sees them, also those that were deleted softly before; they can be restored all the same.
 * @throws CliError for a document that is under a legal hold; one of its person is for `assertPersonNotHeld` to tell.
 */
export function planDeletion(
  user: UserDocuments,
  ids: readonly string[],
  by: {
    readonly now: Date;
    readonly actor: string;
    readonly hard: boolean;
  },
): ChangePlan {
  return planEach(user, ids, (entry) => {
    const { document, place } = entry;
    if (place === "removed") return undefined;
    const hold = legalHold(document.attributes);
    if (hold !== undefined) throw forbidden(`${document.id} (${document.name}) is`, [hold]);
    if (place === "api" && !by.hard) {
      throw new CliError(`${document.id} (${document.name}) is kept by the website's documents-api`, {
        hint: "--hard takes it away there; `mawps doc restore` brings it back",
      });
    }
    if (document.status === "DELETED" && !by.hard) return undefined;
    if (!mayBecome(document.status, "DELETED") && document.status !== "UNKNOWN") {
      throw new CliError(`${document.id} (${document.name}) is ${document.status}: its upload is not done`, {
        hint: `upload it again, or \`mawps doc check ${user.userId} --repair\` finishes or withdraws it`,
      });
    }
    const secrets = by.hard ? secretPaths(siteSecrets, document.attributes) : [];
    if (secrets.length > 0) {
      throw new CliError(`${document.id} (${document.name}) holds a secret: ${secrets.join(", ")}`, {
        hint: "what --hard takes away lies in the tool's own table, which must hold none; remove it on the website first",
      });
    }
    const deletedAt = by.now.toISOString();
    const moves = by.hard ? { moves: "away" as const } : {};
    return {
      entry,
      ...moves,
      set: { status: "DELETED", deletedAt, deletedBy: by.actor },
      unchanged: ["status", "legalHold"],
      event: eventOf("document.deleted", entry, { deletedAt, ...(by.hard ? { method: "hard" } : {}) }),
    };
  });
}

/**
 * Decides to take soft deletes back; what was infected is so again.
 * @throws CliError for what no scan has let through: as one that waits for a scan, retention would take it for a broken-off upload.
 */
export function planRestoration(
  { rows }: Pick<DocumentSite, "rows">,
  user: UserDocuments,
  ids: readonly string[],
): ChangePlan {
  return planEach(user, ids, (entry) => {
    const { document } = entry;
    if (document.status !== "DELETED") return undefined;
    const status = restoredStatus(document);
    if (status === "READY" && !mayBeReady(rows, document.scanResult)) {
      throw new CliError(`${document.id} (${document.name}): no scan has let it through`, {
        hint: `\`mawps doc scan ${user.userId}\` scans it where it is; then it can be brought back`,
      });
    }
    return {
      entry,
      ...(entry.place === "removed" ? { moves: "back" as const } : {}),
      set: { status },
      remove: ["deletedAt", "deletedBy"].filter((name) => entry.raw[name] !== undefined),
      unchanged: ["status", "deletedAt"],
      event: eventOf("document.restored", entry, { status }),
    };
  });
}

/** Decides on other tags: those to add behind those that are there, without those to remove. */
export function planTags(
  user: UserDocuments,
  id: string,
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
): ChangePlan {
  const plan = (entry: StoredEntry): PlannedChange | undefined => {
    const before = entry.document.tags;
    if (entry.raw["tags"]?.S !== undefined)
      throw new CliError(`${id}: its tags are no list, and stay as they are`, {
        hint: "look at what the website wrote there",
      });
    const tags = [...new Set([...before, ...add])].filter((tag) => !remove.includes(tag));
    if (tags.length === before.length && tags.every((tag, at) => tag === before[at])) return undefined;
    return {
      entry,
      set: { tags },
      unchanged: ["tags"],
      event: eventOf("document.tagged", entry, { tags }),
      again: plan,
    };
  };
  return planEach(user, [id], plan);
}

/**
 * Decides on another name. The object keeps its key, and the name in its metadata.
 * @throws CliError when the name cannot be one, or says another kind of file.
 */
export function planRenaming(user: UserDocuments, id: string, name: string): ChangePlan {
  const fault = documentNameFault(name);
  if (fault !== undefined) throw new CliError(`the name ${JSON.stringify(name)} ${fault}`);
  return planEach(user, [id], (entry) => {
    const { document } = entry;
    if (document.name === name) return undefined;
    const kind = document.contentType ?? lookup(document.name);
    if (kind !== false && lookup(name) !== kind) {
      throw new CliError(
        `${document.name} is ${kind}; the name ${JSON.stringify(name)} says something else`,
        {
          hint: "keep the extension",
        },
      );
    }
    // documents-api has another word for it, which the website shows.
    const attribute =
      entry.raw["name"] === undefined && entry.raw["fileName"] !== undefined ? "fileName" : "name";
    return {
      entry,
      set: { [attribute]: name },
      unchanged: [attribute],
      event: eventOf("document.renamed", entry, { name, previousName: document.name }),
    };
  });
}

function planEach(
  user: UserDocuments,
  ids: readonly string[],
  plan: (entry: StoredEntry) => PlannedChange | undefined,
): ChangePlan {
  const entries = [...new Set(ids)].map((id) => entryWithId(user, id));
  const planned = entries.map((entry) => ({ entry, change: plan(entry) }));
  return {
    changes: planned.flatMap(({ change }) => change ?? []),
    unchanged: planned.flatMap(({ entry, change }) => (change === undefined ? [entry] : [])),
  };
}

function eventOf(action: AuditAction, entry: StoredEntry, details: AuditEvent["details"]): AuditEvent {
  const { id, name, type, s3Key } = entry.document;
  return {
    action,
    userId: entry.userId,
    details: {
      documentId: id,
      name,
      fileType: type,
      ...(s3Key === "" ? {} : { key: s3Key }),
      ...details,
    },
  };
}

/** What became of a plan. */
export interface ChangeResult {
  readonly changed: readonly StoredEntry[];
  readonly failures: readonly { readonly entry: StoredEntry; readonly failure: CliError }[];
}

/**
 * Does what was planned of one user, in one write to an item, and records it. Entries that changed since they were read are
 * left. `profile` is the user's, as read.
 */
export async function carryOut(
  site: ChangingSite,
  changes: readonly PlannedChange[],
  { profile }: Pick<UserDocuments, "profile">,
): Promise<ChangeResult> {
  const [first] = changes;
  if (first === undefined) return { changed: [], failures: [] };
  const { userId } = first.entry;
  const of = (moves: PlannedChange["moves"]) => changes.filter((change) => change.moves === moves);
  const away = of("away");
  const back = of("back").map(({ entry }) => entry);
  const deletion = { deletedAt: site.now().toISOString(), deletedBy: site.actor };
  const made = new Map(changes.map((change) => [change.entry.document.id, change]));
  const write = async () => [
    await changeUntilDone(site, of(undefined), made),
    ...(away.length === 0 ? [] : [await putAway(site, away, deletion)]),
    ...(back.length === 0 ? [] : [await bringBack(site, { userId, profile }, back)]),
  ];
  const events = changes.map(({ event }) => event);
  const outcomes = await site.audit.change(events, write, (done) => {
    const ids = new Set(done.flatMap((outcome) => outcome.changed.map(({ document }) => document.id)));
    return [...made].flatMap(([id, { event }]) => (ids.has(id) ? [event] : []));
  });
  const changed = outcomes.flatMap((outcome) => outcome.changed);
  const missing = outcomes.flatMap((outcome) => outcome.missing);
  const refused = outcomes.flatMap((outcome) => outcome.refused);
  return {
    changed,
    failures: [
      ...missing.map((entry) => ({ entry, failure: new CliError("its entry is gone by now") })),
      ...refused.map(({ entry, found }) => ({
        entry,
        failure: new CliError(`somebody else changed it meanwhile; it is ${found.document.status} now`),
      })),
    ],
  };
}

/** So often a change is decided anew that somebody else's change of the same entry got in the way of. */
const mostConflicts = 20;

/** `made` tells by id what is written in the end; what somebody else has done already is taken out of it. */
async function changeUntilDone(
  site: ChangingSite,
  changes: readonly PlannedChange[],
  made: Map<string, PlannedChange>,
): Promise<ChangeOutcome> {
  const outcome = await changeEntries(site, changes);
  const changed = [...outcome.changed];
  const missing = [...outcome.missing];
  let { refused } = outcome;
  let open = changes;
  const tries = backOff({ attempts: mostConflicts, signal: site.signal });
  while (refused.length > 0) {
    const decided = refused.map((each) => {
      const again = open.find(({ entry }) => entry.document.id === each.entry.document.id)?.again;
      return { each, again, next: again?.(each.found) };
    });
    for (const { each, again, next } of decided) {
      const { id } = each.entry.document;
      if (next !== undefined) made.set(id, next);
      else if (again !== undefined) {
        changed.push(each.found);
        made.delete(id);
      }
    }
    open = decided.flatMap(({ next }) => next ?? []);
    const left = decided.filter(({ again }) => again === undefined).map(({ each }) => each);
    if (open.length === 0) return { changed, missing, refused: left };
    if (!(await tries.again())) break;
    const next = await changeEntries(site, open);
    changed.push(...next.changed);
    missing.push(...next.missing);
    refused = [...left, ...next.refused];
  }
  return { changed, missing, refused };
}

/** The entry as a plan would leave it, for a dry run. */
export function foreseen({ entry, set = {}, remove = [] }: PlannedChange): StoredEntry {
  const kept = Object.entries(entry.document.attributes).filter(([name]) => !remove.includes(name));
  return { ...entry, document: parseDocument({ ...Object.fromEntries(kept), ...set }) };
}

interface RestorableObjects {
  /** Entries whose object is not in the bucket any more: there is nothing to restore. */
  readonly gone: readonly StoredEntry[];
  /** Takes the tag off those that retention has left to S3 to expire; resolves to how many had it. */
  keep(): Promise<number>;
}

/** Looks at the objects of entries that are to be restored; changes nothing before `keep` is called. */
export async function restorableObjects(
  { aws, signal }: DocumentSite,
  entries: readonly StoredEntry[],
): Promise<RestorableObjects> {
  const found = await inParallel(entries, 8, async ({ bucket, document: { s3Key: key } }) =>
    key === "" ? undefined : headObject(aws, { bucket, key }, signal),
  );
  return {
    gone: entries.filter(
      ({ document }, at) =>
        found[at] === undefined && document.inline === undefined && document.scanResult !== "INFECTED",
    ),
    async keep() {
      const kept = await inParallel([...entries.entries()], 8, async ([at, { bucket, document }]) => {
        const { tagCount = 0, version } = found[at] ?? {};
        const object = { bucket, key: document.s3Key, version };
        const tags = tagCount === 0 ? undefined : await tagsWithoutDue(aws, object, signal);
        if (tags !== undefined) await setObjectTags(aws, object, tags);
        return tags !== undefined;
      });
      return kept.filter(Boolean).length;
    },
  };
}

/** Whether retention will delete the document again at once. */
export function isExpired({ expiresAt }: DocumentEntry, now: Date): boolean {
  const time = timeOf(expiresAt);
  return time !== undefined && time <= now.getTime();
}
