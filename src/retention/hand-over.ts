import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { beginFile, writeNewFile } from "../atomic-file.ts";
import type { AuditTrail } from "../audit/trail.ts";
import { readLifecycle, readVersioning } from "../aws/s3/bucket-settings.ts";
import { CliError } from "../errors.ts";
import { dueRule } from "../model/handed-over.ts";
import { missingRules } from "../setup/lifecycle.ts";
import { jobLines, jobScript, rolePolicies, type Manifest } from "./batch-job.ts";
import type { DueEntry } from "./plan-entry.ts";
import type { Ready } from "./recheck.ts";
import type { RetentionSite } from "./site.ts";

/** Takes down what S3 is to expire in place of being deleted by a run. */
export interface HandOver {
  /** Those of the entries that have no object to hand over, which the run deletes itself. */
  take(ready: readonly Ready[]): Promise<readonly Ready[]>;
}

interface Begin {
  /** New, readable by its owner alone: keys are personal data. */
  readonly folder: string;
  /** File of the plan that is carried out. */
  readonly plan: string;
  readonly audit: AuditTrail;
}

interface Begun {
  readonly file: Awaited<ReturnType<typeof beginFile>>;
  readonly hash: ReturnType<typeof createHash>;
  readonly isVersioned: boolean;
  versions: number;
  bytes: number;
}

/**
 * Carries something out that hands over into a new folder: a manifest for each bucket that has anything due, with every version that was looked
 * at again right before and whose owner is not held. What names the objects in tables stays until these are gone: a later run takes it. The
 * manifests have their names when the run came to its end and the trail knows of them; before there is nothing that a job could be made of.
 * Broken off before that, it leaves no folder. The plan lies beside them, by which `handOverAgain` looks at them once more.
 * @throws CliError where the folder cannot be made: nothing was changed then.
 */
export async function handingOver<T>(
  site: RetentionSite,
  { folder, plan, audit }: Begin,
  carryOut: (handOver: HandOver) => Promise<T>,
): Promise<{ readonly outcome: T; readonly manifests: readonly Manifest[] }> {
  await mkdir(folder, { mode: 0o700 }).catch((cause: unknown) => {
    throw new CliError(`${folder} cannot be made`, { hint: newFolderHint, cause });
  });
  try {
    return await listed(site, { folder, audit, replaces: false }, async (handOver) => {
      const outcome = await carryOut(handOver);
      await copyFile(plan, join(folder, planName), constants.COPYFILE_EXCL);
      return outcome;
    });
  } finally {
    const left = await readdir(folder);
    // Nothing that a job could be made of.
    if (left.every((name) => name === planName)) await rm(folder, { recursive: true });
  }
}

/** What was handed over, as the folder has it. */
const planName = "plan.json";
const jobsName = "jobs";

/** The plan of what was handed over into a folder. */
export function handedOverPlan(folder: string): string {
  return join(folder, planName);
}

/**
 * Writes the lists of a folder anew: without what is not ready any more, in place of what is there.
 * @param carryOut looks at the plan again, and changes nothing.
 */
export async function handOverAgain<T>(
  site: RetentionSite,
  { folder, audit }: Pick<Begin, "folder" | "audit">,
  carryOut: (handOver: HandOver) => Promise<T>,
): Promise<{ readonly outcome: T; readonly manifests: readonly Manifest[] }> {
  const before = await readdir(folder);
  const result = await listed(site, { folder, audit, replaces: true }, async (handOver) => {
    const outcome = await carryOut(handOver);
    // Until the new lists are whole there is nothing to make a job of.
    await rm(join(folder, jobsName), { force: true });
    return outcome;
  });
  const kept = new Set(result.manifests.map(({ file }) => basename(file)));
  for (const name of before)
    if (name.endsWith(".csv") && !kept.has(name)) await rm(join(folder, name), { force: true });
  return result;
}

async function listed<T>(
  site: RetentionSite,
  { folder, audit, replaces }: Pick<Begin, "folder" | "audit"> & { readonly replaces: boolean },
  carryOut: (handOver: HandOver) => Promise<T>,
): Promise<{ readonly outcome: T; readonly manifests: readonly Manifest[] }> {
  const begun = new Map<string, Begun>();
  const handing = { folder, replaces, begun };
  try {
    const outcome = await carryOut({ take: (ready) => take(site, handing, ready) });
    return { outcome, manifests: await finish(site, handing, audit) };
  } finally {
    for (const { file } of begun.values()) await file.close();
  }
}

const newFolderHint = "name a folder that is not there yet, in one that is";

/**
 * Whether a run can hand over into a folder, before anybody is asked; writes nothing.
 * @throws CliError where the folder is there, or a bucket has no rule by which S3 expires what is tagged.
 */
export async function assertHandable(site: RetentionSite, folder: string): Promise<void> {
  const isThere = await lstat(folder).then(
    () => true,
    () => false,
  );
  if (isThere) throw new CliError(`${folder} is there already`, { hint: newFolderHint });
  const buckets = site.declaration.buckets.filter(({ keptBy }) => keptBy !== "site").map(({ name }) => name);
  await assertExpiring(site, buckets);
}

interface Handing {
  readonly folder: string;
  /** Whether lists take the place of earlier ones. */
  readonly replaces: boolean;
  /** By bucket. */
  readonly begun: Map<string, Begun>;
}

async function take(
  site: RetentionSite,
  handing: Handing,
  ready: readonly Ready[],
): Promise<readonly Ready[]> {
  const left: Ready[] = [];
  for (const each of ready) {
    const { due } = each;
    const versions = versionsOf(due);
    if (versions.length === 0 || !("bucket" in due) || due.bucket === undefined) {
      left.push(each);
      continue;
    }
    const manifest = await manifestOf(site, handing, due.bucket);
    for (const { key, version, bytes } of versions) {
      const line = `${[due.bucket, key, ...(manifest.isVersioned ? [version] : [])].join(",")}\n`;
      manifest.hash.update(line);
      await manifest.file.append(line);
      manifest.versions += 1;
      manifest.bytes += bytes;
    }
  }
  return left;
}

async function manifestOf(
  { aws }: RetentionSite,
  { folder, replaces, begun }: Handing,
  bucket: string,
): Promise<Begun> {
  const known = begun.get(bucket);
  if (known !== undefined) return known;
  const isVersioned = (await readVersioning(aws, bucket)) !== undefined;
  const file = await beginFile(join(folder, `${bucket}.csv`), { replaces });
  const made = { file, hash: createHash("sha256"), isVersioned, versions: 0, bytes: 0 };
  begun.set(bucket, made);
  return made;
}

async function finish(
  { aws }: RetentionSite,
  { folder, replaces, begun }: Handing,
  audit: AuditTrail,
): Promise<Manifest[]> {
  const manifests = [...begun].map(([bucket, { hash, versions, bytes, isVersioned }]): Manifest => ({
    bucket,
    file: join(folder, `${bucket}.csv`),
    versions,
    bytes,
    isVersioned,
    sha256: hash.digest("hex"),
  }));
  for (const { bucket, versions, bytes, sha256 } of manifests)
    await audit.record({ action: "retention.handed-over", details: { bucket, versions, bytes, sha256 } });
  for (const { file } of begun.values()) await file.finish();
  if (manifests.length === 0) return [];
  if (!replaces) {
    await writeNewFile(join(folder, "start.sh"), [jobScript(aws.region)]);
    for (const [name, policy] of Object.entries(rolePolicies(manifests)))
      await writeNewFile(join(folder, name), [`${JSON.stringify(policy, undefined, 2)}\n`]);
  }
  await writeNewFile(join(folder, jobsName), [jobLines(manifests)]);
  return manifests;
}

/** What the lists have of an entry. Delete markers cannot be tagged: they go by the lifecycle's rule for those with nothing under them. */
export function versionsOf(
  due: DueEntry,
): { readonly key: string; readonly version: string; readonly bytes: number }[] {
  if (!("versions" in due) || due.key === undefined || due.action !== "purge") return [];
  // A key stands in a manifest as in a URL.
  const key = due.key.split("/").map(encodeURIComponent).join("/");
  return due.versions
    .filter(({ deleteMarker }) => deleteMarker !== true)
    .map(({ version, bytes }) => ({ key, version, bytes }));
}

async function assertExpiring({ aws, signal }: RetentionSite, buckets: readonly string[]): Promise<void> {
  const lacking: string[] = [];
  for (const bucket of buckets) {
    const lifecycle = await readLifecycle(aws, bucket, signal);
    const rules = typeof lifecycle === "object" ? lifecycle : { rules: [] };
    if (missingRules(rules, [dueRule]).length > 0) lacking.push(bucket);
  }
  if (lacking.length > 0)
    throw new CliError(
      `nothing expires what is tagged as due in ${lacking.join(", ")}; nothing was changed`,
      {
        hint: "mawps setup --hand-over --fix makes the rule of S3's lifecycle",
      },
    );
}
