/** One directory of a TIFF file, or of an EXIF block, which is one: tags with the numbers in their value fields. */
type TiffDirectory = ReadonlyMap<number, number>;

/** More directories than any real file has; a chain that bites its tail ends here. */
const maxDirectories = 64;
const entryBytes = 12;
const shortType = 3;

const newSubfileType = 0x00fe;
const stripOffsets = 0x0111;
const thumbnailOffset = 0x0201;
const gpsDirectory = 0x8825;
const dngVersion = 0xc612;

/**
 * Reads the chained directories (the first, then thumbnail or further pages). Lenient: a broken block gives what
 * comes before the damage. BigTIFF is not read and gives none.
 */
function readTiffDirectories(bytes: Uint8Array): TiffDirectory[] {
  if (bytes.length < 8) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getUint16(0) === 0x4949;
  if (view.getUint16(2, little) !== 42) return [];
  const directories: TiffDirectory[] = [];
  let at = view.getUint32(4, little);
  while (at !== 0 && at + 2 <= bytes.length && directories.length < maxDirectories) {
    const count = view.getUint16(at, little);
    const directory = new Map<number, number>();
    for (let entry = 0; entry < count; entry++) {
      const place = at + 2 + entry * entryBytes;
      if (place + entryBytes > bytes.length) break;
      const short = view.getUint16(place + 2, little) === shortType;
      const value = short ? view.getUint16(place + 8, little) : view.getUint32(place + 8, little);
      directory.set(view.getUint16(place, little), value);
    }
    directories.push(directory);
    const next = at + 2 + count * entryBytes;
    at = next + 4 <= bytes.length ? view.getUint32(next, little) : 0;
  }
  return directories;
}

/**
 * Whether a file that looks like TIFF is a camera's raw file (DNG, NEF, ARW, CR2): what a TIFF reader finds first in
 * these is a thumbnail, marked as a reduced version of another picture.
 */
export function isCameraRaw(bytes: Uint8Array): boolean {
  const [first] = readTiffDirectories(bytes);
  const canon = bytes[8] === 0x43 && bytes[9] === 0x52; // "CR" in front of the first directory.
  return canon || first?.has(dngVersion) === true || ((first?.get(newSubfileType) ?? 0) & 1) === 1;
}

/** What an EXIF block tells beyond the picture: always "exif", and "gps" and "thumbnail" where it has them. */
export function describeExif(block: Uint8Array): string[] {
  const [first, ...others] = readTiffDirectories(block);
  return [
    "exif",
    ...(first?.has(gpsDirectory) === true ? ["gps"] : []),
    ...(others.some((directory) => directory.has(thumbnailOffset) || directory.has(stripOffsets))
      ? ["thumbnail"]
      : []),
  ];
}

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
  return readTiffDirectories(bytes).flatMap((directory) =>
    [...directory.keys()].flatMap((tag) => {
      const name = tellingTags.get(tag) ?? (tag >= 0x8000 ? `tag ${tag}` : undefined);
      return name === undefined ? [] : [name];
    }),
  );
}
