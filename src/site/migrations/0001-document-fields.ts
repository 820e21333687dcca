import { lookup } from "mime-types";
import type { AttributeValue } from "../../aws/dynamodb/items.ts";
import { documentFolders } from "../../documents/check-facts.ts";
import { entriesIn } from "../../documents/entries.ts";
import type { StoredEntry } from "../../documents/entry.ts";
import { inParallel } from "../../concurrency.ts";
import { readContent, type Content } from "../../migrations/content.ts";
import { isBlank } from "../../migrations/blank.ts";
import {
  nothing,
  type ItemChange,
  type Left,
  type Migration,
  type MigrationSite,
} from "../../migrations/migration.ts";
import { restore } from "../../migrations/restore.ts";
import { entriesAttribute } from "../../model/mawps.ts";

/** Objects of one person that are read side by side. */
const sideBySide = 4;

/**
 * Entries that the website wrote say nothing of their bytes. Afterwards they have `status`, `contentType` and `sha256` as the
 * tool's own have; `scanResult` stays absent: nobody has scanned them.
 */
export const documentFields: Migration = {
  id: "0001-document-fields",
  description: "fills status, contentType and sha256 of documents that the website wrote, by reading them",

  async up({ userId, items }, site) {
    const left: Left[] = [];
    const changes: ItemChange[] = [];
    for (const { place, item } of items) {
      const lacking = entriesIn(site, { userId, place, item }).filter(isLacking);
      const filled = await inParallel(lacking, sideBySide, async (entry) => {
        const why = await unreadable(site, entry);
        if (typeof why !== "string") return [entry.index, fill(entry, why)] as const;
        left.push({ userId, what: entry.document.id, why });
        return undefined;
      });
      const byIndex = new Map(filled.filter((each) => each !== undefined));
      const elements = item[entriesAttribute]?.L ?? [];
      if (byIndex.size === 0) continue;
      const set = { [entriesAttribute]: { L: elements.map((element, at) => byIndex.get(at) ?? element) } };
      changes.push({ place, before: item, set, remove: [] });
    }
    return { ...nothing, changes, left };
  },

  down: restore,

  verify: ({ userId, items }, site) =>
    items
      .flatMap(({ place, item }) => entriesIn(site, { userId, place, item }))
      .filter(isLacking)
      .map(({ document, raw }) => ({
        what: document.id,
        why: `it has no ${wanted.filter((name) => isBlank(raw[name])).join(", ")}`,
      })),
};

const wanted = ["status", "contentType", "sha256"] as const;

/** Not what is being uploaded or was found infected: those have no bytes to read. */
function isLacking({ raw, document }: StoredEntry): boolean {
  const isStored = document.status === "READY" || document.status === "DELETED";
  return isStored && wanted.some((name) => isBlank(raw[name]));
}

/** What the entry's object holds, or why that cannot be told. */
async function unreadable(site: MigrationSite, { userId, document }: StoredEntry): Promise<Content | string> {
  const { s3Key } = document;
  if (s3Key === "") return "it names no object";
  const isOwn = documentFolders(userId).some((folder) => s3Key.startsWith(folder));
  if (!isOwn) return `its object is in none of the user's folders: ${s3Key}`;
  return (await readContent(site, s3Key)) ?? `its object is missing: ${s3Key}`;
}

function fill({ raw, document }: StoredEntry, content: Content): AttributeValue {
  const named = lookup(document.name);
  const byName = named === false ? "application/octet-stream" : named;
  const values = {
    status: "READY",
    contentType: content.contentType ?? byName,
    sha256: content.sha256,
  };
  const missing = wanted
    .filter((name) => isBlank(raw[name]))
    .map((name) => [name, { S: values[name] }] as const);
  return { M: { ...raw, ...Object.fromEntries(missing) } };
}
