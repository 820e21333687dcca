/* The canonical request of AWS Signature Version 4: encodings, sorting, times. */

/** Decoded; a name without `=` has the value "". */
export type QueryPair = readonly [name: string, value: string];

/** Splits a raw query string, in the order sent. */
export function parseQuery(query: string): QueryPair[] {
  if (query === "") return [];
  return query.split("&").flatMap((part): QueryPair[] => {
    if (part === "") return [];
    const at = part.indexOf("=");
    return at < 0 ? [[decode(part), ""]] : [[decode(part.slice(0, at)), decode(part.slice(at + 1))]];
  });
}

/** Sorted by encoded name, then value; without the signature itself. */
export function canonicalQuery(query: readonly QueryPair[]): string {
  return query
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]): QueryPair => [encode(name), encode(value)])
    .sort(([nameA, valueA], [nameB, valueB]) => order(nameA, nameB) || order(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/**
 * S3 signs the path with each byte encoded once and leaves `//`, `.` and `..` alone, for they are part of a
 * key. The other services resolve them and encode the path as sent a second time.
 */
export function canonicalPath(path: string, service: string): string {
  if (service === "s3")
    return path
      .split("/")
      .map((segment) => encode(decodePath(segment)))
      .join("/");
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(encode(segment));
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

/** A header's value, trimmed, runs of blanks made one. Its bytes are characters: A0 is part of a letter, not a blank. */
export function canonicalValue(value: string): string {
  return value.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, "").replaceAll(/ +/g, " ");
}

function decode(text: string): string {
  return decodePath(text.replaceAll("+", "%20"));
}

/** Text that is not valid percent-encoded UTF-8 stays as it is: its signature then simply differs or fits. */
function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** `YYYYMMDDTHHMMSSZ` as a time in ms, undefined when it is none. */
export function parseTimestamp(text: string): number | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second] = found;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** A `Date` header in the form of `x-amz-date`. */
export function timestampOfDate(date: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  const time = parseTimestamp(date) ?? Date.parse(date);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}
