import { readJpegSegments } from "./containers.ts";
import { latin1 } from "./format.ts";

/**
 * The JPEG without what its standard forbids and every viewer overlooks; undefined when there is nothing of the kind:
 *
 *     bytes between segments                             | left out
 *     spectral selection in a sequential scan (Samsung)  | 0 to 63, the only one it can have (T.81, B.2.3)
 *     a JFIF header of an unknown revision               | that of revision 1
 *     an Adobe header of an unknown transform            | YCbCr or YCCK, as readers take it
 *
 * Pixels are not touched, so that damage in them still shows.
 */
export function mendJpegHeaders(bytes: Uint8Array): Uint8Array | undefined {
  const { parts } = readJpegSegments(bytes);
  const mended = Buffer.from(bytes);
  const strays: { readonly from: number; readonly to: number }[] = [];
  let isSequential = false;
  const components = parts.find(({ name }) => isFrame(name))?.data[5];
  for (const { name, data } of parts) {
    const at = data.byteOffset - bytes.byteOffset;
    if (name === "stray") strays.push({ from: at, to: at + data.length });
    if (isFrame(name)) isSequential = name === "C0" || name === "C1";
    if (name === "DA" && isSequential && data.length >= 3) mended.set([0, 63, 0], at + data.length - 3);
    if (name === "APP0" && data.length >= 7 && latin1(data, 0, 5) === "JFIF\0") mended[at + 5] = 1;
    if (name === "APP14" && data.length >= 12 && latin1(data, 0, 5) === "Adobe" && (data[11] ?? 0) > 2) {
      mended[at + 11] = components === 4 ? 2 : 1;
    }
  }
  if (strays.length === 0 && mended.equals(bytes)) return undefined;
  const ends = [...strays, { from: mended.length, to: mended.length }];
  return Buffer.concat(ends.map(({ from }, index) => mended.subarray(ends[index - 1]?.to ?? 0, from)));
}

/** SOF0 to SOF15; DHT, JPG and DAC lie between them. */
function isFrame(name: string): boolean {
  return /^C[0-35-79ABD-F]$/.test(name);
}
