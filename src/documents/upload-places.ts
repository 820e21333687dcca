import { headObject } from "../aws/s3/objects.ts";
import { inParallel } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { legalHold } from "../model/documents.ts";
import { uuid } from "../model/uuid.ts";
import type { StoredEntry, UserDocuments } from "./entry.ts";
import type { Examined, UploadSource } from "./examine.ts";
import { liesAt, rowFileKey } from "./file-owners.ts";
import { knownIds } from "./known-ids.ts";
import { keepsHashes } from "./row-model.ts";
import { documentUrl, type ChangingSite } from "./site.ts";
import { newEntry, supersededBy } from "./upload-plan.ts";
import type { UploadRequest } from "./upload-request.ts";

/** A checked file, and the entry that it has already. */
export interface Judged {
  readonly file: Examined;
  readonly infected: boolean;
  readonly known: StoredEntry | undefined;
}

/** A file that gets an entry unless it has one. */
export interface Planned extends Judged {
  readonly fresh: NewFileEntry;
  /** Earlier uploads of it, broken off before it got its present content. */
  readonly superseded: readonly StoredEntry[];
  /** Infected, and its key is another file's: it is refused, and no entry tells of it. */
  readonly isUntold?: boolean;
}

type NewFileEntry = ReturnType<typeof newEntry>;

/** Calls of S3 at once. */
const looksAtOnce = 10;

interface ToPlan {
  readonly judged: readonly Judged[];
  readonly user: UserDocuments;
  /** Hashes of what the call stores, or found stored, by keys. */
  readonly claimed: Map<string, string>;
  readonly request: UploadRequest;
}

/**
 * Plans an entry for each file, and tells of those that get none. Where the site makes keys of plain file names these are files whose key is
 * another file's, of whatever status, since a document that is deleted can still be restored; where the newest takes the place
 * of the others, those that would take that of another file of the call, or of one under a legal hold.
 */
export async function planFiles(
  site: ChangingSite,
  { judged, user, claimed, request }: ToPlan,
  fail: (source: UploadSource, failure: CliError) => void,
): Promise<Planned[]> {
  const { type } = request;
  // What is infected takes no place: it must not keep another file from its own.
  const rank = ({ known, infected }: Judged) => (infected ? 2 : known === undefined ? 1 : 0);
  const planned: Planned[] = [];
  const refused = new Set<string>();
  for (const each of judged.toSorted((one, other) => rank(one) - rank(other))) {
    const { file, known, infected } = each;
    const { sha256 } = file;
    const fresh = entryFor(site, request, { file, user });
    const { s3Key } = known?.document ?? fresh;
    // What this call has begun is under way.
    const superseded =
      known === undefined
        ? supersededBy(user.entries, { type, file, actor: request.uploader ?? site.actor }).filter(
            (entry) => !claimed.has(entry.document.s3Key) && liesAt(site.rows, request.given ?? {}, entry),
          )
        : [];
    const others = user.entries.filter(
      (entry) => entry.document.s3Key === s3Key && entry !== known && !superseded.includes(entry),
    );
    const isTwice = isOthers(site, claimed, { s3Key, sha256 });
    if (infected) {
      const isKnown = known !== undefined || site.rows === undefined;
      const isUntold = !isKnown && (isTwice || others.length > 0 || refused.has(s3Key));
      refused.add(s3Key);
      planned.push({ ...each, fresh, superseded, isUntold });
      continue;
    }
    const failure = isTwice ? twice(s3Key) : placeFault(site, each, { s3Key, others });
    if (failure !== undefined) {
      fail(file.source, failure);
      continue;
    }
    claimed.set(s3Key, sha256);
    planned.push({ ...each, fresh, superseded });
  }
  if (site.rows === undefined || site.rows.replaces) return planned;
  const heads = await inParallel(
    planned,
    looksAtOnce,
    async ({ known, infected, fresh: { id, s3Key: key } }) =>
      // Nothing else has a key with this id.
      known !== undefined || infected || key.includes(`/${id}/`)
        ? undefined
        : headObject(site.aws, { bucket: site.bucket, key }, site.signal),
  );
  return planned.filter(({ file, fresh }, at) => {
    if (heads[at] !== undefined) fail(file.source, taken(fresh.s3Key));
    return heads[at] === undefined;
  });
}

/** Whether other bytes of the same call have this key: the second file would take the place of the first. */
export function isOthers(
  { rows }: ChangingSite,
  claimed: ReadonlyMap<string, string>,
  { s3Key, sha256 }: { readonly s3Key: string; readonly sha256: string },
): boolean {
  const before = claimed.get(s3Key);
  return rows !== undefined && before !== undefined && before !== sha256;
}

/** Why a file cannot have its place where these other entries have its key. */
function placeFault(
  { rows }: ChangingSite,
  { known }: Judged,
  { s3Key, others }: { readonly s3Key: string; readonly others: readonly StoredEntry[] },
): CliError | undefined {
  if (rows === undefined || others.length === 0) return undefined;
  if (!rows.replaces) return known === undefined ? taken(s3Key) : undefined;
  const held = others.find(({ document }) => legalHold(document.attributes) !== undefined);
  if (held === undefined) return undefined;
  return new CliError(`${held.document.id}, which it would replace, is under a legal hold`, {
    hint: "--name gives the document another name",
  });
}

export function twice(key: string): CliError {
  return new CliError(`another file of this call has the key ${key}`, {
    hint: "nothing replaces it; give one of them another name",
  });
}

export function taken(key: string): CliError {
  return new CliError(`there is a file ${key} already`, { hint: "--name gives the document another name" });
}

function entryFor(
  site: ChangingSite,
  request: UploadRequest,
  { file, user }: { readonly file: Examined; readonly user: UserDocuments },
) {
  const { type, tags, expiresAt, isPublic, uploader = site.actor } = request;
  const { userId } = request.user;
  const { source, sizeBytes, sha256, judgement } = file;
  const { ext, contentType } = file.type;
  const facts = { userId, type, tags, expiresAt, isPublic, sizeBytes, sha256, judgement, ext, contentType };
  const now = site.now();
  const { name } = source;
  const made = newEntry(
    { ...facts, name, uploadedBy: uploader },
    {
      now,
      random: site.randomHex(12),
      urlOf: (key) => documentUrl(site, key),
      row: rowFor(site, { user, sha256 }, { userId, name, ext, now, given: request.given ?? {} }),
    },
  );
  return { ...made, ...request.attached };
}

/** Id and key of a new document where the site keeps rows. */
function rowFor(
  site: ChangingSite,
  { user, sha256 }: { readonly user: UserDocuments; readonly sha256: string },
  facts: Omit<Parameters<typeof rowFileKey>[1], "id">,
): { readonly id: string; readonly key: string } | undefined {
  if (site.rows === undefined) return undefined;
  const id = keepsHashes(site.rows)
    ? uuid(site.randomHex(16))
    : knownIds({ user, name: facts.name, sha256 }).next;
  return { id, key: rowFileKey(site.rows, { ...facts, id }) };
}
