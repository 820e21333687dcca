import type { LocalResponse } from "../service.ts";
import { changeBucket } from "./buckets.ts";
import { bucketOf, respond, respondXml, type Call } from "./call.ts";
import { S3Fault } from "./fault.ts";
import { receiveText } from "./receive.ts";
import { childOf, el, markupOf, optional, parseXml, textOf, xmlDocument, type XmlElement } from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html */
const maxConfigurations = 1000;
const pageSize = 100;

const choices = {
  IsEnabled: ["true", "false"],
  IncludedObjectVersions: ["All", "Current"],
  Frequency: ["Daily", "Weekly"],
  Format: ["CSV", "ORC", "Parquet"],
} as const;

export async function getInventory(call: Call): Promise<LocalResponse> {
  const id = call.query.get("id");
  const found = (bucketOf(call).inventories ?? []).find((each) => textOf(each, "Id") === id);
  if (found === undefined) throw new S3Fault("NoSuchConfiguration");
  return respondXml(xmlDocument(found.name, found.children.map(markupOf)));
}

/** A hundred at a time, by their ids. */
export async function listInventories(call: Call): Promise<LocalResponse> {
  const after = Buffer.from(call.query.get("continuation-token") ?? "", "base64url").toString();
  const behind = (bucketOf(call).inventories ?? []).filter((each) => idOf(each) > after);
  const page = behind.slice(0, pageSize);
  const last = page.at(-1);
  const next =
    last === undefined || page.length === behind.length
      ? undefined
      : Buffer.from(idOf(last)).toString("base64url");
  return respondXml(
    xmlDocument(
      "ListInventoryConfigurationsResult",
      page.map(markupOf),
      el("IsTruncated", next !== undefined),
      optional("NextContinuationToken", next),
    ),
  );
}

/** PutBucketInventoryConfiguration: checked and kept. The local store makes no inventories. */
export async function putInventory(call: Call): Promise<LocalResponse> {
  bucketOf(call);
  const document = await parseXml(await receiveText(call), "InventoryConfiguration");
  checkInventory(document);
  const id = idOf(document);
  if (id !== call.query.get("id")) throw new S3Fault("InvalidArgument");
  await changeBucket(call, (bucket) => {
    const others = (bucket.inventories ?? []).filter((each) => idOf(each) !== id);
    if (others.length >= maxConfigurations) throw new S3Fault("TooManyConfigurations");
    const inventories = [...others, document].sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
    return { ...bucket, inventories };
  });
  return respond(204);
}

export async function deleteInventory(call: Call): Promise<LocalResponse> {
  const id = call.query.get("id");
  await changeBucket(call, (bucket) => {
    const known = bucket.inventories ?? [];
    const inventories = known.filter((each) => idOf(each) !== id);
    if (inventories.length === known.length) throw new S3Fault("NoSuchConfiguration");
    return { ...bucket, inventories };
  });
  return respond(204);
}

function checkInventory(document: XmlElement): void {
  const destination = childOf(childOf(document, "Destination"), "S3BucketDestination");
  const found = {
    IsEnabled: textOf(document, "IsEnabled"),
    IncludedObjectVersions: textOf(document, "IncludedObjectVersions"),
    Frequency: textOf(childOf(document, "Schedule"), "Frequency"),
    Format: textOf(destination, "Format"),
  };
  const isKnown = (name: keyof typeof found) =>
    choices[name].some((choice: string) => choice === found[name]);
  const isWhole = (Object.keys(choices) as (keyof typeof found)[]).every(isKnown);
  if (!isWhole || idOf(document) === "") throw new S3Fault("MalformedXML");
  if (!/^arn:aws[a-z-]*:s3:::./.test(textOf(destination, "Bucket") ?? ""))
    throw new S3Fault("InvalidArgument");
}

function idOf(document: XmlElement): string {
  return textOf(document, "Id") ?? "";
}
