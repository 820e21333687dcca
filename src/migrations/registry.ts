import { documentFields } from "../site/migrations/0001-document-fields.ts";
import { profileType } from "../site/migrations/0002-profile-type.ts";
import { documentItems } from "../site/migrations/0003-document-items.ts";
import { documentKeys } from "../site/migrations/0004-document-keys.ts";
import { mawpsModel } from "../model/mawps.ts";
import type { Model } from "../model/schema.ts";
import type { Migration } from "./migration.ts";

/** A migration and the SHA-256 of the file it is in, as `sha256sum` prints it. */
export interface Registered {
  readonly migration: Migration;
  readonly checksum: string;
}

/**
 * Those of MAWPS in their order.
 *
 * The checksum is a constant, so that it is the same in the sources, in the bundle and on every machine; a test compares it
 * with the file. It covers the file alone, not what that imports: what decides about stored data belongs into the file.
 */
export const migrations: readonly Registered[] = [
  { migration: documentFields, checksum: "ff1e77fe93ba4c4b0af4efb706334ab9da2706092bee2c7ac4fee23f07f8b6f8" },
  { migration: profileType, checksum: "261de81d3f8581dd79982cdffbecffc47a7f8d124f9e5ac77df027e571e1f0c8" },
  { migration: documentItems, checksum: "9bdfcbbd1ea3b0de870a72397cf9d638e69addcec082b77d58af60b1250ed79f" },
  { migration: documentKeys, checksum: "2f158b0ea3f4c1dda88b36ae191b9b4cfe714d56a5f35d894e5839f66fb7e743" },
];

/** What there is to migrate of the items of a site with this model; those of a database are files beside it. */
export function migrationsOf(model: Model): readonly Registered[] {
  return model === mawpsModel ? migrations : [];
}
