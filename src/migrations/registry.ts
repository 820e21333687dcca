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
  { migration: documentFields, checksum: "172bbe2508b6e75bfd66c2f4cbf937122748ae8fbfa2f4f7a9effa7a9b78e453" },
  { migration: profileType, checksum: "30ce4a455514db4b879dab956d6284fbcbf6545a87166f7c8da9c11aba710c37" },
  { migration: documentItems, checksum: "f6463811a1698d4a1a1b1ab7929eb748c18b1ebd7fedca9dbf6bd4e8aa751854" },
  { migration: documentKeys, checksum: "d2c31ca5fe7a7b03be5e46ae4f2cc532ad376c6e74d841de1842d689eaaa280a" },
];
