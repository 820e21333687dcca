import { legalHold } from "../model/documents.ts";
import { parseKey, pluralFileType } from "../model/keys.ts";
import { objectName, type CheckFacts, type ObjectFacts } from "./check-facts.ts";
import { byRepair, isAstray, type Finding } from "./check-finding.ts";
import type { StoredEntry } from "./entries.ts";
import type { Remembered } from "./remembered.ts";

/** Objects of documents that no entry names. */
export function orphans({ documents, objects }: CheckFacts, entries: readonly StoredEntry[]): Finding[] {
  const named = new Set(entries.map(objectName));
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
        return current.sha256 !== undefined && current.sha256 === object.sha256
          ? leftOver(of, key)
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
function leftOver({ userId, document }: StoredEntry, key: string): Finding {
  const held = legalHold(document.attributes);
  const what = `it holds the bytes of ${document.name} a second time; links to it still work`;
  const base = { userId, kind: "left-over-object" as const, id: document.id, key, what };
  if (held !== undefined) return { ...base, remedy: `it may not be deleted: legal hold (${held})` };
  return {
    ...base,
    remedy: `${byRepair} deletes it in all versions`,
    repair: { does: "delete-object", key },
  };
}

function lost(userId: string, object: ObjectFacts): Finding {
  const { key, said } = object;
  const base = {
    userId,
    kind: "object-without-entry" as const,
    key,
    ...(said.id === undefined ? {} : { id: said.id }),
  };
  const layout = parseKey(key)?.layout;
  if (layout !== "document" && layout !== "old-document") {
    return { ...base, what: "its key is none of a document", remedy: "find out who put it there" };
  }
  return {
    ...base,
    what: `no entry names it${said.name === undefined ? "" : ` (${said.name})`}`,
    remedy: `${byRepair} writes its entry from its metadata`,
    repair: { does: "rebuild", object },
  };
}

function withoutId({ id: _taken, ...said }: ObjectFacts["said"]): ObjectFacts["said"] {
  return said;
}

/** The attributes of an entry that was lost, from its object and from what is remembered of changes since. */
export function rebuiltEntry(
  { key, sizeBytes, contentType, lastModified, said }: ObjectFacts,
  made: { readonly id: string; readonly url: string },
  { name, tags = [], infection, deletion }: Remembered = {},
): Readonly<Record<string, unknown>> & { readonly id: string } {
  const parsed = parseKey(key);
  const isDocument = parsed?.layout === "document" || parsed?.layout === "old-document";
  const fileName = parsed?.layout === "old-document" ? parsed.fileName : key.slice(key.lastIndexOf("/") + 1);
  const uploadedAt = isDocument ? new Date(parsed.timestampMs) : lastModified;
  return {
    id: said.id ?? made.id,
    name: name ?? said.name ?? fileName,
    type: pluralFileType(isDocument ? parsed.fileType : "documents"),
    s3Key: key,
    s3Url: made.url,
    size: sizeBytes,
    uploadedAt: uploadedAt?.toISOString(),
    contentType,
    sha256: said.sha256,
    // Unless it was found infected it counts as never scanned.
    status: deletion !== undefined ? "DELETED" : infection !== undefined ? "INFECTED" : "READY",
    uploadedBy: said.uploadedBy,
    tags,
    ...infection,
    ...deletion,
  };
}
