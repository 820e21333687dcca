import type { JsonObject } from "./json.ts";

/** A file that stands in a text: `data:application/pdf;base64,JVBERi0...`. */
export interface DataUrl {
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** Decodes it; the bytes as the browser would get them. */
  bytes(): Buffer;
}

/** The attribute of an entry that the website's buttons open, and others in which its pages have kept files. */
const likely = ["url", "dataUrl", "fileData", "data", "content"];

/** The file that an entry holds itself; undefined when no attribute does. */
export function dataUrlIn(attributes: JsonObject): DataUrl | undefined {
  for (const name of likely) {
    const found = parseDataUrl(attributes[name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Reads a data URL (RFC 2397); undefined for anything else. Lenient as browsers are: nothing is ever refused. */
function parseDataUrl(value: unknown): DataUrl | undefined {
  if (typeof value !== "string" || !/^data:/i.test(value)) return undefined;
  const comma = value.indexOf(",");
  if (comma === -1) return undefined;
  const [mediaType = "", ...parameters] = value.slice("data:".length, comma).split(";");
  const isBase64 = parameters.at(-1)?.trim().toLowerCase() === "base64";
  const decode = () => {
    const text = percentDecoded(value.slice(comma + 1));
    return isBase64 ? Buffer.from(text.toString("latin1"), "base64") : text;
  };
  return {
    mediaType: mediaType === "" ? "text/plain" : mediaType.toLowerCase(),
    get sizeBytes() {
      return decode().byteLength;
    },
    bytes: decode,
  };
}

/** Bytes of a text in which `%41` stands for one; other signs stand for themselves, in UTF-8. */
function percentDecoded(text: string): Buffer {
  if (!text.includes("%")) return Buffer.from(text);
  const parts = text.split(/((?:%[0-9a-f]{2})+)/i);
  return Buffer.concat(
    parts.map((part, at) =>
      at % 2 === 1 ? Buffer.from(part.replaceAll("%", ""), "hex") : Buffer.from(part),
    ),
  );
}

/** A text as it may be shown: a file that stands in it becomes its size, and an address loses what grants access. */
export function shownUrl(text: string): string {
  const inline = parseDataUrl(text);
  if (inline !== undefined) return `data:${inline.mediaType} (${inline.sizeBytes} bytes)`;
  return /^https?:/i.test(text) && grantsAccess.test(text) ? text.replace(/\?.*$/s, "") : text;
}

const grantsAccess = /[?&](X-Amz-(Signature|Credential|Security-Token)|Signature|AWSAccessKeyId)=/i;
