import type { Aws } from "../aws/clients.ts";
import { type AttributeValue, getItem, type Item } from "../aws/dynamodb/items.ts";
import { headObject } from "../aws/s3/objects.ts";
import { readTable } from "../aws/dynamodb/table-settings.ts";
import type { Declaration, ExpectedItem } from "../model/declaration.ts";
import { type ObjectAddress, parsePublicUrl, publicUrl } from "../model/urls.ts";
import type { Finding } from "./finding.ts";
import type { AnonymousAnswer, Outside } from "./outside.ts";

interface Site {
  readonly aws: Aws;
  readonly declaration: Declaration;
  readonly outside: Outside;
}

/** Looks whether an item that the site expects is there, would be recognised, and shows pictures to the public. */
export async function expectedFindings(
  site: Site,
  expected: ExpectedItem,
  table: string,
): Promise<Finding[]> {
  const { aws, outside } = site;
  const stored = await readTable(aws, table, outside.signal);
  if (stored === undefined) return [];
  const key: Record<string, AttributeValue> = {};
  for (const { name } of [
    stored.keys.partition,
    ...(stored.keys.sort === undefined ? [] : [stored.keys.sort]),
  ]) {
    key[name] = { S: expected.key[name] ?? "" };
  }
  const item = await getItem(aws, { table, key, signal: outside.signal });
  const finding = { check: expected.what, subject: Object.values(expected.key).join(", ") };
  if (item === undefined) {
    return [{ ...finding, status: "warning", message: "not set yet", remedy: expected.remedy }];
  }
  const { attribute, value, otherwise } = expected.recognisedBy;
  const found = textOf(item[attribute]);
  const pictures = await Promise.all(
    expected.pictures.map((picture) =>
      pictureFinding(site, item, { ...picture, remedy: expected.remedy, alsoIn: expected.alsoIn }),
    ),
  );
  const recognised: Finding =
    found === value
      ? { ...finding, status: "ok", message: `${attribute} is ${value}` }
      : {
          ...finding,
          status: "problem",
          message: `${attribute} is ${found === undefined ? "missing" : JSON.stringify(found)}, not ${value}: ${otherwise}`,
          remedy: expected.remedy,
        };
  return [recognised, ...pictures];
}

type Picture = ExpectedItem["pictures"][number] & Pick<ExpectedItem, "remedy" | "alsoIn">;

async function pictureFinding(site: Site, item: Item, picture: Picture): Promise<Finding> {
  const { aws, declaration, outside } = site;
  const url = textOf(item[picture.attribute]);
  if (url === undefined || url === "") {
    const finding = { check: picture.what, subject: picture.attribute, message: "not set" };
    return picture.isOptional
      ? { ...finding, status: "ok" }
      : { ...finding, status: "warning", remedy: picture.remedy };
  }
  const open = declaration.buckets.filter(({ access }) => access === "public").map(({ name }) => name);
  const place = parsePublicUrl(url, {
    endpointUrl: aws.endpointUrl,
    publicBaseUrl: outside.publicBaseUrl,
    publicBucket: open[0],
  });
  const { remedy } = picture;
  const finding = { check: picture.what, subject: place?.key ?? shortened(url) };
  if (place === undefined) {
    return { ...finding, status: "warning", message: "is not in a bucket of the site", remedy };
  }
  if (!open.includes(place.bucket) && !picture.alsoIn.includes(place.bucket)) {
    return {
      ...finding,
      status: "problem",
      message: `is in ${place.bucket}, not in a public bucket`,
      remedy,
    };
  }
  const asked = addressOf(site, place, url);
  const [stored, seen] = await Promise.all([
    headObject(aws, place, outside.signal),
    outside.anonymousGet(asked),
  ]);
  if (stored === undefined) {
    return { ...finding, status: "problem", message: `there is no such object in ${place.bucket}`, remedy };
  }
  const unasked = asked === url ? undefined : originOf(url);
  return { ...finding, ...judgeSeen(seen, { place: originOf(asked), unasked }) };
}

/** Where a server stands in for AWS, the stored URL may be of AWS or a CDN, which know nothing of that server. */
function addressOf({ aws }: Site, place: ObjectAddress, url: string): string {
  const { region, endpointUrl } = aws;
  return endpointUrl === undefined ? url : publicUrl({ ...place, region, endpointUrl });
}

interface Asked {
  /** Scheme and host that were asked. */
  readonly place: string;
  /** Those of the stored URL, where another server was asked in their place. */
  readonly unasked: string | undefined;
}

/**
 * What an anonymous reader got of a picture that is there.
 *
 * | answer           | finding                                                      |
 * |------------------|--------------------------------------------------------------|
 * | 200, a picture   | ok; of the server that was asked, if that is not the URL's   |
 * | 200, else        | problem: no picture                                          |
 * | 401, 403         | problem: kept from the public                                |
 * | 404, 410         | problem: not found, though it is in the bucket               |
 * | a redirect       | warning: nothing was read                                    |
 * | else, or none    | problem: nothing was read, for this reason                   |
 */
export function judgeSeen(
  seen: AnonymousAnswer,
  { place, unasked }: Asked,
): Pick<Finding, "status" | "message" | "remedy"> {
  const { status } = seen;
  if (status === undefined) {
    const remedy = seen.hint ?? "check the address and the network";
    return { status: "problem", message: `could not be read as the public does: ${seen.why}`, remedy };
  }
  if (status === 200) {
    const contentType = seen.headers["content-type"];
    if (contentType?.startsWith("image/") !== true) {
      const message = `the public gets ${contentType ?? "no content type"}, not a picture`;
      return { status: "problem", message, remedy: "mawps hero set <image>" };
    }
    const message =
      unasked === undefined
        ? `the public can read it (${contentType})`
        : `${place} gives it to anybody (${contentType}); its own address, at ${unasked}, was not asked`;
    return { status: "ok", message };
  }
  if (status === 401 || status === 403) {
    const remedy = "mawps setup --fix (an account-wide public access block is lifted in the S3 console)";
    return { status: "problem", message: `the public cannot read it: HTTP ${status}`, remedy };
  }
  if (status === 404 || status === 410) {
    const remedy = "check publicBaseUrl (MAWPS_PUBLIC_BASE_URL) and what stands there in front of the bucket";
    return { status: "problem", message: `the public does not find it at ${place}: HTTP ${status}`, remedy };
  }
  if (status >= 300 && status < 400) {
    const to = originOf(seen.headers["location"] ?? "");
    const message = `was not read: ${place} sends the public on (HTTP ${status}), to ${to}`;
    return {
      status: "warning",
      message,
      remedy: "open the URL in a browser, or store the one that it leads to",
    };
  }
  const remedy = "try again later, or ask whoever runs the server";
  return { status: "problem", message: `was not read: ${place} answers HTTP ${status}`, remedy };
}

/** Without path and query, which may hold what opens the object. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "another path";
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return value !== undefined && "S" in value ? value.S : undefined;
}

/** A data URL holds a whole picture. */
function shortened(url: string): string {
  return url.length > 100 ? `${url.slice(0, 97)}...` : url;
}
