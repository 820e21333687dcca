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
  const [stored, seen] = await Promise.all([
    headObject(aws, place, outside.signal),
    outside.anonymousGet(addressOf(site, place, url)),
  ]);
  if (stored === undefined) {
    return { ...finding, status: "problem", message: `there is no such object in ${place.bucket}`, remedy };
  }
  return seenFinding(finding, seen);
}

/** Where a server stands in for AWS, the stored URL may be of AWS or a CDN, which know nothing of that server. */
function addressOf({ aws }: Site, place: ObjectAddress, url: string): string {
  const { region, endpointUrl } = aws;
  return endpointUrl === undefined ? url : publicUrl({ ...place, region, endpointUrl });
}

function seenFinding(
  finding: Pick<Finding, "check" | "subject">,
  { status, headers }: AnonymousAnswer,
): Finding {
  if (status !== 200) {
    const remedy = "mawps setup --fix (an account-wide public access block is lifted in the S3 console)";
    return { ...finding, status: "problem", message: `the public cannot read it: HTTP ${status}`, remedy };
  }
  const contentType = headers["content-type"];
  if (contentType?.startsWith("image/") === true) {
    return { ...finding, status: "ok", message: `the public can read it (${contentType})` };
  }
  const message = `the public gets ${contentType ?? "no content type"}, not a picture`;
  return { ...finding, status: "problem", message, remedy: "mawps hero set <image>" };
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return value !== undefined && "S" in value ? value.S : undefined;
}

/** A data URL holds a whole picture. */
function shortened(url: string): string {
  return url.length > 100 ? `${url.slice(0, 97)}...` : url;
}
