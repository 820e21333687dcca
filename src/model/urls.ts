export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

export interface PublicPlace {
  readonly region: string;
  /** A server in AWS's place; addressed path-style. */
  readonly endpointUrl?: string;
  /** What stands in front of the public bucket, such as a CDN. */
  readonly publicBaseUrl?: string;
}

/** URL under which anybody reads an object of a public bucket, each segment of the key percent-encoded. */
export function publicUrl({ bucket, key, ...place }: ObjectAddress & PublicPlace): string {
  const path = encodeKey(key);
  if (place.publicBaseUrl !== undefined) return `${withoutSlash(place.publicBaseUrl)}/${path}`;
  if (place.endpointUrl !== undefined) return `${withoutSlash(place.endpointUrl)}/${bucket}/${path}`;
  return `https://${bucket}.s3.${place.region}.amazonaws.com/${path}`;
}

export interface KnownPlaces {
  readonly endpointUrl?: string;
  readonly publicBaseUrl?: string;
  /** The bucket behind `publicBaseUrl`. */
  readonly publicBucket?: string;
}

/**
 * Bucket and key of a stored URL in any form in which S3 is or was addressed (virtual host or path, with or without
 * region, dual-stack, accelerated), of our endpoint, of a server on this machine at any port, or of
 * `publicBaseUrl`. A query (a signature, a cache-buster) is left out. Undefined for foreign and for data URLs.
 * Read without `new URL`, which would resolve `..` in a key.
 */
export function parsePublicUrl(url: string, places: KnownPlaces = {}): ObjectAddress | undefined {
  const plain = url.replace(/[?#].*$/s, "");
  const { publicBaseUrl, publicBucket, endpointUrl } = places;
  if (publicBaseUrl !== undefined && publicBucket !== undefined) {
    const base = `${withoutSlash(publicBaseUrl)}/`;
    if (plain.startsWith(base)) return address(publicBucket, plain.slice(base.length));
  }
  if (endpointUrl !== undefined) {
    const base = `${withoutSlash(endpointUrl)}/`;
    if (plain.startsWith(base)) return pathStyle(plain.slice(base.length));
  }
  const [, authority = "", path = ""] = /^https?:\/\/([^/]+)\/(.*)$/is.exec(plain) ?? [];
  const host = authority.toLowerCase();
  if (/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) return pathStyle(path);
  const amazon =
    /^(?:(.+)\.)?(?:s3|s3-accelerate|s3[.-][a-z0-9-]+|s3\.dualstack\.[a-z0-9-]+|s3-accelerate\.dualstack)\.amazonaws\.com(?:\.cn)?(?::443)?$/;
  const match = amazon.exec(host);
  if (match === null) return undefined;
  return match[1] === undefined ? pathStyle(path) : address(match[1], path);
}

function pathStyle(path: string): ObjectAddress | undefined {
  const slash = path.indexOf("/");
  return slash < 1 ? undefined : address(path.slice(0, slash), path.slice(slash + 1));
}

function address(bucket: string, encodedKey: string): ObjectAddress | undefined {
  return encodedKey === "" ? undefined : { bucket, key: decoded(encodedKey) };
}

/** The website joins keys to URLs without encoding them: what cannot be decoded is the key itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** A key as the path of a URL: its slashes stay. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodeSegment).join("/");
}

/** Percent-encoding of RFC 3986: only unreserved characters stay. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function withoutSlash(base: string): string {
  return base.replace(/\/+$/, "");
}
