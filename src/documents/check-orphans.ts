import { bytes } from "../model/bytes.ts";
import { legalHold, websiteFields } from "../model/documents.ts";
import { parseKey, pluralFileType } from "../model/keys.ts";
import { objectName, type CheckFacts, type ObjectFacts } from "./check-facts.ts";
import { byRepair, isAstray, type Finding } from "./check-finding.ts";
import type { StoredEntry } from "./entry.ts";
import { namedBy } from "./named-by.ts";
import type { Remembered } from "./remembered.ts";

/** Objects of documents that no entry names. */
export function orphans({ documents, objects }: CheckFacts, entries: readonly StoredEntry[]): Finding[] {
  // Removed ones keep their objects until retention removes both.
  const named = new Set([...entries, ...documents.entries].map(objectName));
  const { userId } = documents;
  return [...objects]
    .filter(([name]) => !named.has(name))
    .map(([, object]): Finding => {
      const { key, said } = object;
      const of = entries.find(
        (entry) => entry.document.id === said.id && entry.place !== "api" && !isAstray(entry),
      );
      const current = of === undefined ? undefined : objects.get(objectName(of));
      if (of !== undefined && current !== undefined) {
        // Only the tool tells the hash: what the website wrote is no copy of ours.
        return said.sha256 !== undefined && current.sha256 === object.sha256
          ? leftOver(of, { key, profile: documents.profile })
          : lost(userId, { ...object, said: withoutId(said) });
      }
      if (of === undefined) return lost(userId, object);
      return {
        userId,
        kind: "object-without-entry",
        id: of.document.id,
        key,
        what: `the entry of ${of.document.name} names another object, which is not there`,
        remedy: `${byRepair} makes the entry name this one`,
        repair: { does: "point", entry: of, key },
      };
    });
}

/** What a broken-off move leaves: the same bytes at another key. */
export function leftOver(
  entry: StoredEntry,
  { key, profile }: { readonly key: string } & Pick<CheckFacts["documents"], "profile">,
): Finding {
  const { userId, document } = entry;
  const held = legalHold(document.attributes);
  const what = `it holds the bytes of ${document.name} a second time; links to it still work`;
  const base = { userId, kind: "left-over-object" as const, id: document.id, key, what };
  if (held !== undefined) return { ...base, remedy: `it may not be deleted: legal hold (${held})` };
  const attribute = namedBy(profile, key);
  if (attribute !== undefined) {
    return { ...base, remedy: `none while ${JSON.stringify(attribute)} of the profile names it` };
  }
  return {
    ...base,
    remedy: `${byRepair} deletes it in all versions`,
    repair: { does: "delete-object", entry, key },
  };
}

function lost(userId: string, object: ObjectFacts): Finding {
  const { key, said, sizeBytes, contentType, lastModified } = object;
  const base = {
    userId,
    kind: "object-without-entry" as const,
    key,
    id: said.id,
    storedAt: lastModified?.toISOString(),
  };
  const layout = parseKey(key)?.layout;
  if (layout !== "document" && layout !== "old-document") {
    return { ...base, what: "its key is none of a document", remedy: "find out who put it there" };
  }
  const known = [
    said.name ?? fileNameIn(key),
    bytes(sizeBytes),
    contentType,
    lastModified && `stored ${lastModified.toISOString().slice(0, 10)}`,
  ];
  return {
    ...base,
    what: `no entry names it (${known.filter((each) => each !== undefined).join(", ")}): lost, or deleted on the website`,
    remedy: `if it is to come back: \`mawps doc check ${userId} --repair --bring-back ${said.id ?? key}\``,
    repair: { does: "rebuild", object, remembered: {} },
  };
}

/**
 * Adds to findings what the audit trail remembers of their documents. Whose deletion it has stays deleted.
 */
export function withMemory(
  findings: readonly Finding[],
  remembered: ReadonlyMap<string, Remembered>,
): Finding[] {
  return findings.map((finding) => {
    const { repair, key = "", id = "", what } = finding;
    if (repair?.does !== "rebuild") return finding;
    const known = { ...remembered.get(key), ...remembered.get(id) };
    if (known.deletion === undefined) return { ...finding, repair: { ...repair, remembered: known } };
    const { deletedAt, deletedBy } = known.deletion;
    return {
      ...finding,
      what: `${what.replace(/: lost, or deleted on the website$/, "")}: deleted ${deletedAt} by ${deletedBy}`,
      remedy: `it stays deleted; ${byRepair} lets retention remove it, and \`mawps doc restore\` bring it back until then`,
      repair: { does: "keep-deleted", object: repair.object, remembered: known, deletion: known.deletion },
    };
  });
}

/** What a lost document is called: as it was last, else as when it was uploaded. */
export function nameOfLost({ key, said }: ObjectFacts, { name }: Remembered): string {
  return name ?? said.name ?? fileNameIn(key);
}

function fileNameIn(key: string): string {
  const parsed = parseKey(key);
  return parsed?.layout === "old-document" ? parsed.fileName : key.slice(key.lastIndexOf("/") + 1);
}

function withoutId({ id: _taken, ...said }: ObjectFacts["said"]): ObjectFacts["said"] {
  return said;
}

/** What an object's bytes give its entry. */
export interface Judged {
  readonly contentType?: string;
  readonly [attribute: string]: unknown;
}

/**
 * The attributes of an entry that was lost, from its object, from what is remembered of changes since, and as its bytes were
 * judged now.
 */
export function rebuiltEntry(
  object: ObjectFacts,
  made: { readonly id: string; readonly url: string; readonly judged: Judged },
  remembered: Remembered,
): Readonly<Record<string, unknown>> & { readonly id: string } {
  const { key, lastModified, said } = object;
  const parsed = parseKey(key);
  const isDocument = parsed?.layout === "document" || parsed?.layout === "old-document";
  const type = pluralFileType(isDocument ? parsed.fileType : "documents");
  const uploadedAt = isDocument ? new Date(parsed.timestampMs) : lastModified;
  return {
    id: said.id ?? made.id,
    name: nameOfLost(object, remembered),
    type,
    s3Key: key,
    ...websiteFields({
      url: made.url,
      type,
      contentType: made.judged.contentType,
      createdAt: uploadedAt?.toISOString(),
    }),
    uploadedAt: uploadedAt?.toISOString(),
    uploadedBy: said.uploadedBy,
    tags: remembered.tags ?? [],
    ...made.judged,
  };
}
