import { pictureEntries, picturesNamed } from "../audit/pictures.ts";
import type { TrailPlace } from "../audit/place.ts";
import { timeOf } from "../model/json.ts";
import { parsePublicUrl, type KnownPlaces, type ObjectAddress } from "../model/urls.ts";

/** When a picture was live last, as far as is known, by where it lies; only those that certainly were. */
export type ProvenPictures = ReadonlyMap<string, number>;

/** Where the tool's own records are, and how stored addresses are read. */
export interface Proofs {
  readonly trail: TrailPlace;
  readonly places: KnownPlaces;
}

/**
 * The pictures of a user of which the audit trail, or the history that the tool keeps beside the pointers, says that they
 * were live. Whatever else lies in the same folder may be anything: the website keeps pictures there that only browsers
 * know of.
 * @param nameOf what a picture's key and those of its variants have in common; undefined for other keys.
 */
export async function provenPictures(
  { trail, places }: Proofs,
  { userId, history }: { readonly userId: string; readonly history: readonly string[] },
  nameOf: (key: string) => string | undefined,
): Promise<ProvenPictures> {
  const lastMs = new Map<string, number>();
  const note = ({ bucket, key }: ObjectAddress, ms: number) => {
    const name = nameOf(key);
    if (name === undefined) return;
    const place = placeOf(bucket, name);
    lastMs.set(place, Math.max(lastMs.get(place) ?? 0, ms));
  };
  for (const url of history) {
    const address = parsePublicUrl(url, places);
    if (address !== undefined) note(address, 0);
  }
  for (const entry of await pictureEntries(trail, userId)) {
    for (const address of picturesNamed(entry, places)) note(address, timeOf(entry.timestamp) ?? 0);
  }
  return lastMs;
}

/** How a picture of a bucket is found among the proven ones. */
export function placeOf(bucket: string, name: string): string {
  return `${bucket}/${name}`;
}
