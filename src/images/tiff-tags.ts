/** The directories of a TIFF file, or of an EXIF block, which is one. */
export interface TiffDirectory {
  readonly tags: ReadonlySet<number>;
}

/** More directories than any real file has; a chain that bites its tail ends here. */
const maxDirectories = 64;
/** Bytes of one value by TIFF type; only what is needed to read an offset or a small number. */
const entryBytes = 12;

/**
 * Reads the tags of the chained directories (the first, then thumbnail or further pages). Lenient: a broken
 * block gives the directories up to the damage. BigTIFF is not read and gives none.
 */
export function readTiffDirectories(bytes: Uint8Array): TiffDirectory[] {
  if (bytes.length < 8) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getUint16(0) === 0x4949;
  if (view.getUint16(2, little) !== 42) return [];
  const directories: TiffDirectory[] = [];
  let at = view.getUint32(4, little);
  while (at !== 0 && at + 2 <= bytes.length && directories.length < maxDirectories) {
    const count = view.getUint16(at, little);
    const tags = new Set<number>();
    for (let entry = 0; entry < count; entry++) {
      const place = at + 2 + entry * entryBytes;
      if (place + entryBytes > bytes.length) break;
      tags.add(view.getUint16(place, little));
    }
    directories.push({ tags });
    const next = at + 2 + count * entryBytes;
    at = next + 4 <= bytes.length ? view.getUint32(next, little) : 0;
  }
  return directories;
}

/** What an EXIF block tells beyond the picture: always "exif", and "gps" and "thumbnail" where it has them. */
export function describeExif(block: Uint8Array): string[] {
  const [first, ...others] = readTiffDirectories(block);
  return [
    "exif",
    ...(first?.tags.has(gpsDirectory) === true ? ["gps"] : []),
    ...(others.some(({ tags }) => tags.has(thumbnailOffset) || tags.has(stripOffsets)) ? ["thumbnail"] : []),
  ];
}

const gpsDirectory = 0x8825;
const thumbnailOffset = 0x0201;
const stripOffsets = 0x0111;

/** Tags of TIFF 6.0 and its supplements that tell of the maker or the making, not of the pixels. */
const tellingTags: ReadonlyMap<number, string> = new Map([
  [0x010e, "comment"], // ImageDescription
  [0x010f, "exif"], // Make
  [0x0110, "exif"], // Model
  [0x0131, "exif"], // Software
  [0x0132, "exif"], // DateTime
  [0x013b, "comment"], // Artist
  [0x013c, "exif"], // HostComputer
  [0x02bc, "xmp"],
  [0x8298, "comment"], // Copyright
  [0x83bb, "iptc"],
  [0x8649, "iptc"], // Photoshop resources, which wrap it
  [0x8769, "exif"],
  [0x8773, "icc"],
  [gpsDirectory, "gps"],
]);

/** The same for a TIFF file; private tags (from 0x8000) that are not known are named by number. */
export function describeTiff(bytes: Uint8Array): string[] {
  return readTiffDirectories(bytes).flatMap(({ tags }) =>
    [...tags].flatMap((tag) => {
      const name = tellingTags.get(tag) ?? (tag >= 0x8000 ? `tag ${tag}` : undefined);
      return name === undefined ? [] : [name];
    }),
  );
}
