import { documentFields } from "./0001-document-fields.ts";
import { profileType } from "./0002-profile-type.ts";
import { documentItems } from "./0003-document-items.ts";
import { documentKeys } from "./0004-document-keys.ts";
import type { Migration } from "./migration.ts";

/** A migration and the SHA-256 of the file it is in, as `sha256sum` prints it. */
export interface Registered {
  readonly migration: Migration;
  readonly checksum: string;
}

/**
 * All migrations in their order.
 *
 * The checksum is a constant, so that it is the same in the sources, in the bundle and on every machine; a test compares it
 * with the file. It covers the file alone, not what that imports: what decides about stored data belongs into the file.
 */
export const migrations: readonly Registered[] = [
  { migration: documentFields, checksum: "76c2ad8171023f7da0bb9623ec47ec79810e7ab50472cc24bc6a958fc3bb892d" },
  { migration: profileType, checksum: "6c456e4f9d5f317de7984cf7a4bf63891e521067aa288a9703aa7f1f4e22897b" },
  { migration: documentItems, checksum: "3e6ebc9b39ec538fc8e18fc73f2d2aec4ee5a58a1443cb172264dc643e04a8d7" },
  { migration: documentKeys, checksum: "6492fd70d5c3be98f543d94d4fc75f201e569d045db47e53893821ad585d56ef" },
];
