/**
 * Everything that the details of an entry may hold, and as what. An allow-list: document contents, form data, tokens
 * and links that grant access have no key here, so there is no place to put them.
 *
 * | kind   | value                                                                     |
 * |--------|---------------------------------------------------------------------------|
 * | text   | at most 1,024 characters, longer ones are cut                             |
 * | number | a whole number that JavaScript holds exactly: any other hashes ambiguously |
 * | flag   | true or false                                                             |
 * | texts  | at most 100 texts                                                         |
 * | url    | a public URL; what stands behind `?` or `#` is cut off                    |
 */
const detailKinds = {
  // How far something irreversible has come: begun, done, failed.
  phase: "text",
  error: "text",
  // What it was done to.
  role: "text",
  bucket: "text",
  key: "text",
  previousKey: "text",
  version: "text",
  url: "url",
  previousUrl: "url",
  table: "text",
  itemType: "text",
  documentId: "text",
  documentIds: "texts",
  name: "text",
  previousName: "text",
  fileType: "text",
  contentType: "text",
  sizeBytes: "number",
  sha256: "text",
  width: "number",
  height: "number",
  tags: "texts",
  // What came of it.
  status: "text",
  scanResult: "text",
  signature: "text",
  engine: "text",
  reason: "text",
  rule: "text",
  uploadedAt: "text",
  deletedAt: "text",
  expiresAt: "text",
  method: "text",
  transformation: "text",
  objects: "number",
  versions: "number",
  items: "number",
  bytes: "number",
  done: "number",
  failed: "number",
  steps: "texts",
  // Of accounts, backups and migrations.
  group: "text",
  isMember: "flag",
  attributes: "texts",
  backupId: "text",
  backupIds: "texts",
  days: "number",
  migration: "text",
  from: "text",
  to: "text",
  sequence: "number",
} as const satisfies Record<string, "text" | "number" | "flag" | "texts" | "url">;

type Kinds = typeof detailKinds;
type DetailKey = keyof Kinds;

interface ValueOf {
  readonly text: string;
  readonly url: string;
  readonly number: number;
  readonly flag: boolean;
  readonly texts: readonly string[];
}

export type AuditDetails = { readonly [K in DetailKey]?: ValueOf[Kinds[K]] | undefined };

const mostCharacters = 1024;
/** Texts in one detail; more are left out. */
export const mostTexts = 100;

/** Marks of links and tokens that grant access by themselves: SigV4, SigV2, JSON Web Tokens. */
const grantsAccess =
  /X-Amz-(Signature|Credential|Security-Token)|[?&](Signature|AWSAccessKeyId)=|\beyJ[\w-]+\.eyJ[\w-]+\./i;

/**
 * The details as they are stored. Foreign text is made harmless, never refused: an outcome must be recorded whatever a
 * file is called. Undefined values are left out.
 * @throws TypeError for a key or kind of value that is not in the allow-list: a bug of the caller.
 */
export function detailsOf(details: AuditDetails): Record<string, unknown> {
  const stored: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(details)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(detailKinds, key)) throw new TypeError(`audit details have no "${key}"`);
    stored[key] = storedValue(key as DetailKey, value);
  }
  return stored;
}

function storedValue(key: DetailKey, value: unknown): unknown {
  switch (detailKinds[key]) {
    case "text":
      if (typeof value === "string") return harmless(value);
      break;
    case "url":
      if (typeof value === "string") return harmless(value.replace(/[?#].*$/s, ""));
      break;
    case "number":
      if (Number.isSafeInteger(value)) return value;
      break;
    case "flag":
      if (typeof value === "boolean") return value;
      break;
    case "texts":
      if (Array.isArray(value) && value.every((each) => typeof each === "string"))
        return value.slice(0, mostTexts).map(harmless);
      break;
  }
  throw new TypeError(`audit details: "${key}" takes a ${detailKinds[key]}`);
}

function harmless(text: string): string {
  if (grantsAccess.test(text)) return "[removed: grants access]";
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters - 1)}…` : text;
  // Half a surrogate pair would come back from storage as another character, and break the hash.
  return Buffer.from(cut).toString();
}
