import { readBoxes } from "./containers.ts";
import type { Part } from "./containers.ts";
import { latin1 } from "./format.ts";
import { describeExif } from "./tiff-tags.ts";

/** Boxes that make up the picture (ISO/IEC 23008-12, AV1 Image File Format); every other one is told. */
const pictureBoxes = new Set(["ftyp", "meta", "mdat", "moov", "free", "skip"]);
const pictureMetaBoxes = new Set(["hdlr", "pitm", "iloc", "iinf", "iprp", "iref", "idat", "dinf", "grpl"]);
/** Coded pictures, grids, overlays, derivations and gain maps: pixels, not words. */
const pictureItems = new Set(["av01", "hvc1", "grid", "iovl", "iden", "tmap", "lhv1", "avc1", "jpeg"]);

/** What an AVIF or HEIC file carries beside its picture; see `findMetadata` for the names. */
export function describeHeif(boxes: readonly Part[], file: Uint8Array): string[] {
  return boxes.flatMap(({ name, data }) => {
    if (name === "meta") return describeMeta(data.subarray(4), file);
    if (name === "moov")
      return readBoxes(data).parts.some((box) => box.name === "udta" || box.name === "meta")
        ? ["box udta"]
        : [];
    const padding = name === "free" || name === "skip";
    return pictureBoxes.has(name) && !(padding && data.some((byte) => byte !== 0)) ? [] : [`box ${name}`];
  });
}

function describeMeta(meta: Uint8Array, file: Uint8Array): string[] {
  const boxes = readBoxes(meta).parts;
  return boxes.flatMap((box) => {
    switch (box.name) {
      case "iinf":
        return readItems(box.data).flatMap((item) => describeItem(item, () => locate(item.id, boxes, file)));
      case "iprp":
        return describeProperties(box.data);
      case "iref":
        return readBoxes(box.data.subarray(4)).parts.some(({ name }) => name === "thmb") ? ["thumbnail"] : [];
      case "xml ":
      case "bxml":
        return ["xmp"];
      default:
        return pictureMetaBoxes.has(box.name) ? [] : [`box ${box.name}`];
    }
  });
}

interface Item {
  readonly id: number;
  readonly type: string;
  readonly contentType: string;
}

function describeItem(item: Item, content: () => Uint8Array): string[] {
  if (item.type === "Exif") {
    // Four bytes say how far the block's header lies behind them.
    const data = content();
    const skip = data.length < 4 ? 0 : 4 + new DataView(data.buffer, data.byteOffset).getUint32(0);
    return describeExif(data.subarray(skip));
  }
  if (item.type === "mime" && item.contentType === "application/rdf+xml") return ["xmp"];
  return pictureItems.has(item.type) ? [] : [`item ${item.type}`];
}

/** ItemInfoBox: entries of version 2 (16-bit ids) and 3 (32-bit); older ones have no type and no place in HEIF. */
function readItems(iinf: Uint8Array): Item[] {
  return readBoxes(iinf.subarray(iinf[0] === 0 ? 6 : 8)).parts.map(({ data }) => {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const wide = data[0] === 3;
    const typeAt = wide ? 10 : 8;
    if (data.length < typeAt + 4) return { id: 0, type: "unknown", contentType: "" };
    const [, contentType = ""] = latin1(data, typeAt + 4, data.length).split("\0");
    return {
      id: wide ? view.getUint32(4) : view.getUint16(4),
      type: latin1(data, typeAt, typeAt + 4),
      contentType,
    };
  });
}

/** ICC profiles and user descriptions among the item properties; `nclx` colour is three numbers and stays. */
function describeProperties(iprp: Uint8Array): string[] {
  const properties = readBoxes(iprp).parts.find(({ name }) => name === "ipco");
  return readBoxes(properties?.data ?? new Uint8Array()).parts.flatMap(({ name, data }) => {
    if (name === "colr" && latin1(data, 0, 4) !== "nclx") return ["icc"];
    return name === "udes" ? ["comment"] : name === "uuid" ? ["box uuid"] : [];
  });
}

/** The bytes of an item's first extent by ItemLocationBox; empty when it is not to be found in this file. */
function locate(id: number, meta: readonly Part[], file: Uint8Array): Uint8Array {
  const iloc = meta.find(({ name }) => name === "iloc")?.data ?? new Uint8Array();
  const version = iloc[0] ?? 0;
  let at = 4;
  const read = (size: number): number => {
    let value = 0;
    for (let count = 0; count < size; count++) value = value * 256 + (iloc[at++] ?? 0);
    return value;
  };
  const [offsets, lengths] = nibbles(read(1));
  const [bases, indexes] = nibbles(read(1));
  const count = read(version < 2 ? 2 : 4);
  for (let entry = 0; entry < count && at < iloc.length; entry++) {
    const item = read(version < 2 ? 2 : 4);
    const inIdat = version > 0 && (read(2) & 15) === 1;
    read(2); // The file that holds it: this one.
    const base = read(bases);
    const extents = read(2);
    for (let extent = 0; extent < extents && at < iloc.length; extent++) {
      if (version > 0) read(indexes);
      const start = base + read(offsets);
      const length = read(lengths);
      const source = inIdat
        ? (meta.find(({ name }: Part) => name === "idat")?.data ?? new Uint8Array())
        : file;
      if (item === id) return source.subarray(start, length === 0 ? undefined : start + length);
    }
  }
  return new Uint8Array();
}

function nibbles(byte: number): readonly [high: number, low: number] {
  return [byte >> 4, byte & 15];
}
