import { paintLandscape } from "./landscape.ts";

export interface PhotoOptions {
  /** Pixels across, as a viewer shows it (upright). Default 4032. */
  readonly width?: number;
  /** Pixels down, as a viewer shows it (upright). Default 3024: with the default width a 12-megapixel camera's. */
  readonly height?: number;
  /** The same seed paints the same landscape. Default 7. */
  readonly seed?: number;
}

/**
 * Paints a landscape at sunrise and gives it as the JPEG that a phone would have stored: turned on its side with
 * EXIF orientation 6, with camera, date and the position of a public mountain top (Zugspitze) in its EXIF, an XMP
 * packet, a Display P3 profile and film grain, so that it weighs and compresses like a photo. Nobody is on it and
 * nobody owns it. The same options give the same bytes with the same version of sharp.
 */
export async function makePhoto(options: PhotoOptions = {}): Promise<Buffer> {
  const { width = 4032, height = 3024, seed = 7 } = options;
  const { default: sharp } = await import("sharp");

  // Painted at half size: a lens is no sharper than that, and the grain is added at full size.
  const canvas = paintLandscape(Math.ceil(width / 2), Math.ceil(height / 2), seed);
  const turned = await sharp(canvas.pixels, {
    raw: { width: canvas.width, height: canvas.height, channels: 3 },
  })
    .resize(width, height, { fit: "fill", kernel: "cubic" })
    .rotate(270)
    .raw()
    .toBuffer({ resolveWithObject: true });
  addGrain(turned.data, seed);

  return sharp(turned.data, { raw: { width: turned.info.width, height: turned.info.height, channels: 3 } })
    .withIccProfile("p3")
    .withMetadata({ orientation: 6 })
    .withExifMerge({
      IFD0: {
        Make: "Feldspat",
        Model: "Feldspat Reise 2",
        Software: "Feldspat 2.4.1",
        DateTime: "2025:06:21 05:21:47",
      },
      IFD2: {
        DateTimeOriginal: "2025:06:21 05:21:47",
        OffsetTimeOriginal: "+02:00",
        ExposureTime: "1/160",
        FNumber: "28/10",
        ISOSpeedRatings: "125",
        FocalLength: "26/1",
      },
      IFD3: {
        GPSLatitudeRef: "N",
        GPSLatitude: "47/1 25/1 1600/100",
        GPSLongitudeRef: "E",
        GPSLongitude: "10/1 59/1 700/100",
        GPSAltitudeRef: "0",
        GPSAltitude: "2962/1",
      },
    })
    .withXmp(
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
        '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Feldspat 2.4.1"/>' +
        "</rdf:RDF></x:xmpmeta>",
    )
    .jpeg({ quality: 90, chromaSubsampling: "4:2:0" })
    .toBuffer();
}

/** Luminance noise at full size, stronger in the shadows: what makes a photo heavier than a drawing. */
function addGrain(pixels: Uint8Array, seed: number): void {
  let state = (seed * 2_654_435_761 + 88_675_123) >>> 0 || 1;
  for (let index = 0; index + 2 < pixels.length; index += 3) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    // Two bytes of one word, added: near enough to a bell.
    const bell = (state & 255) + ((state >>> 8) & 255) - 255;
    const grain = bell * (0.062 - 0.00012 * (pixels[index + 1] ?? 0));
    for (let channel = 0; channel < 3; channel++) {
      const value = (pixels[index + channel] ?? 0) + grain;
      pixels[index + channel] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }
}
