import type { Aws } from "../aws/clients.ts";
import { type AttributeValue, getItem, type Item } from "../aws/dynamodb/items.ts";
import { headObject } from "../aws/s3/objects.ts";
import { readTable } from "../aws/dynamodb/table-settings.ts";
import type { Declaration, ExpectedItem } from "../model/declaration.ts";
import { type ObjectAddress, parsePublicUrl, publicUrl } from "../model/urls.ts";
import { told, type About, type DoctorFinding, type Judgement } from "./finding.ts";
import type { AnonymousAnswer, Outside } from "./outside.ts";
import type { Expectation } from "./sentences/checks.ts";

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
): Promise<DoctorFinding[]> {
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
  const finding: About = {
    check: expected.what as Expectation,
    subject: Object.values(expected.key).join(", "),
  };
  const { remedy } = expected;
  if (item === undefined) return [{ ...finding, ...told("warning", "item-missing", { remedy }) }];
  const { attribute, value, otherwise } = expected.recognisedBy;
  const found = textOf(item[attribute]);
  const pictures = await Promise.all(
    expected.pictures.map((picture) =>
      pictureFinding(site, item, { ...picture, remedy, alsoIn: expected.alsoIn }),
    ),
  );
  const recognised: DoctorFinding =
    found === value
      ? { ...finding, status: "ok", message: `${attribute} is ${value}` }
      : {
          ...finding,
          ...told("problem", "item-unrecognised", { attribute, found, value, otherwise, remedy }),
        };
  return [recognised, ...pictures];
}

type Picture = ExpectedItem["pictures"][number] & Pick<ExpectedItem, "remedy" | "alsoIn">;

async function pictureFinding(site: Site, item: Item, picture: Picture): Promise<DoctorFinding> {
  const { aws, declaration, outside } = site;
  const url = textOf(item[picture.attribute]);
  if (url === undefined || url === "") {
    const finding: About = { check: picture.what as Expectation, subject: picture.attribute };
    return picture.isOptional
      ? { ...finding, status: "ok", message: "not set" }
      : { ...finding, ...told("warning", "picture-unset", { remedy: picture.remedy }) };
  }
  const open = declaration.buckets.filter(({ access }) => access === "public").map(({ name }) => name);
  const place = parsePublicUrl(url, {
    endpointUrl: aws.endpointUrl,
    publicBaseUrl: outside.publicBaseUrl,
    publicBucket: open[0],
  });
  const { remedy } = picture;
  const finding: About = { check: picture.what as Expectation, subject: place?.key ?? shortened(url) };
  if (place === undefined) return { ...finding, ...told("warning", "picture-elsewhere", { remedy }) };
  const { bucket } = place;
  if (!open.includes(bucket) && !picture.alsoIn.includes(bucket))
    return { ...finding, ...told("problem", "picture-not-public", { bucket, remedy }) };
  const asked = addressOf(site, place, url);
  const [stored, seen] = await Promise.all([
    headObject(aws, place, outside.signal),
    outside.anonymousGet(asked),
  ]);
  if (stored === undefined) return { ...finding, ...told("problem", "picture-gone", { bucket, remedy }) };
  const elsewhere = "another path";
  const unasked = asked === url ? undefined : (originOf(url) ?? elsewhere);
  return { ...finding, ...judgeSeen(seen, { place: originOf(asked) ?? elsewhere, unasked }) };
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
export function judgeSeen(seen: AnonymousAnswer, { place, unasked }: Asked): Judgement {
  const { status } = seen;
  if (status === undefined) return told("problem", "picture-unread", { why: seen.why, hint: seen.hint });
  if (status === 200) {
    const contentType = seen.headers["content-type"];
    if (contentType?.startsWith("image/") !== true) return told("problem", "picture-none", { contentType });
    const message =
      unasked === undefined
        ? `the public can read it (${contentType})`
        : `${place} gives it to anybody (${contentType}); its own address, at ${unasked}, was not asked`;
    return { status: "ok", message };
  }
  if (status === 401 || status === 403) return told("problem", "picture-closed", { status });
  if (status === 404 || status === 410) return told("problem", "picture-not-found", { place, status });
  if (status < 300 || status >= 400) return told("problem", "picture-refused", { place, status });
  return told("warning", "picture-redirected", {
    place,
    status,
    to: originOf(seen.headers["location"] ?? ""),
  });
}

/** Without path and query, which may hold what opens the object. */
function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return value !== undefined && "S" in value ? value.S : undefined;
}

/** A data URL holds a whole picture. */
function shortened(url: string): string {
  return url.length > 100 ? `${url.slice(0, 97)}...` : url;
}
