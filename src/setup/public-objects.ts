import { foreignGrants } from "../aws/s3/acl.ts";
import { readPolicyIsPublic } from "../aws/s3/bucket-policy.ts";
import { readPublicAccessBlock } from "../aws/s3/bucket-settings.ts";
import { listObjects } from "../aws/s3/listing.ts";
import type { Aws } from "../aws/clients.ts";
import { errorName } from "../aws/setting.ts";
import { inParallel } from "../concurrency.ts";
import type { Step } from "./step.ts";

/** What is open in a bucket now and would not be any more, and what was uploaded as it could not be any more. */
export interface OpenObjects {
  readonly bucket: string;
  /**
   * Objects with an ACL, with whom it lets in, in the order of their keys. `nobody`: the bucket ignores the ACL, but takes
   * uploads that send one.
   */
  readonly objects: readonly { readonly key: string; readonly to: "everybody" | "others" | "nobody" }[];
  /** S3 counts the policy as public, and the block would make it void. */
  readonly byPolicy: boolean;
  /** The objects whose ACL was read, out of so many prefixes. */
  readonly looked: number;
  readonly prefixes: number;
  /** False where there are more prefixes than were looked at. */
  readonly isWhole: boolean;
}

/** Prefixes and pages that are listed, and objects of a prefix whose ACLs are read. */
const mostPages = 300;
const perPrefix = 3;
/** Prefixes that differ in nothing but ids, such as those of users: so many stand for all of them. */
const perShape = 3;
/** ACLs that are read at once. */
const sideBySide = 8;

/**
 * Looks in the buckets whose steps could close something off for what is open: by the ACLs of a sample of objects from
 * each prefix, and by the policy. Only reads.
 */
export async function findOpenObjects(
  aws: Aws,
  steps: readonly Step[],
  signal?: AbortSignal,
): Promise<OpenObjects[]> {
  const closing = steps.filter(({ mayCloseOff }) => mayCloseOff === true);
  const buckets = [...new Set(closing.map(({ name }) => name))];
  const found: OpenObjects[] = [];
  for (const bucket of buckets) {
    const block = await readPublicAccessBlock(aws, bucket, signal);
    const isBlocked = typeof block === "object";
    const restricts = closing.some(
      ({ name, write }) =>
        name === bucket && write?.do === "write-public-access-block" && write.block.restrictPublicBuckets,
    );
    const byPolicy =
      restricts &&
      !(isBlocked && block.restrictPublicBuckets) &&
      (await readPolicyIsPublic(aws, bucket, signal)) === true;
    const { keys, prefixes, isWhole } = await sampleOf(aws, bucket, signal);
    const opened = await inParallel(keys, sideBySide, async (key) => {
      const { toEverybody, toOthers } = await grantsOf(aws, { bucket, key }, signal);
      if (toEverybody && !(isBlocked && block.ignorePublicAcls)) return [{ key, to: "everybody" as const }];
      if (toOthers) return [{ key, to: "others" as const }];
      // What the bucket ignores opens nothing, and what it refuses nobody uploads any more.
      return toEverybody && !(isBlocked && block.blockPublicAcls) ? [{ key, to: "nobody" as const }] : [];
    });
    found.push({ bucket, objects: opened.flat(), byPolicy, looked: keys.length, prefixes, isWhole });
  }
  return found;
}

async function grantsOf(aws: Aws, object: { bucket: string; key: string }, signal: AbortSignal | undefined) {
  try {
    return await foreignGrants(aws, object, signal);
  } catch (error) {
    // Deleted since it was listed.
    if (errorName(error) === "NoSuchKey") return { toEverybody: false, toOthers: false };
    throw error;
  }
}

/** A few keys of every prefix, breadth first; of prefixes that differ in ids alone only some. */
async function sampleOf(
  aws: Aws,
  bucket: string,
  signal: AbortSignal | undefined,
): Promise<{ keys: string[]; prefixes: number; isWhole: boolean }> {
  const keys: string[] = [];
  const queue = [""];
  let pages = 0;
  let prefixes = 0;
  for (let prefix = queue.shift(); prefix !== undefined && pages < mostPages; prefix = queue.shift()) {
    prefixes += 1;
    const here: string[] = [];
    const shapes = new Map<string, number>();
    for await (const page of listObjects(aws, { bucket, prefix, delimiter: "/", signal })) {
      pages += 1;
      here.push(...page.objects.map(({ key }) => key));
      for (const child of page.prefixes) {
        const shape = shapeOf(child);
        const known = shapes.get(shape) ?? 0;
        shapes.set(shape, known + 1);
        if (known < perShape) queue.push(child);
      }
      if (pages >= mostPages) break;
    }
    keys.push(...spread(here));
  }
  return { keys: keys.sort(), prefixes, isWhole: queue.length === 0 && pages < mostPages };
}

/** The first, the last, and what is between. */
function spread(keys: readonly string[]): string[] {
  if (keys.length <= perPrefix) return [...keys];
  const step = (keys.length - 1) / (perPrefix - 1);
  return Array.from({ length: perPrefix }, (_, n) => keys[Math.round(n * step)] ?? "");
}

/** The same for prefixes that differ in ids and numbers alone. */
function shapeOf(prefix: string): string {
  return prefix
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "#")
    .replaceAll(/\d+/g, "#");
}
