import { lstat, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeZip } from "client-zip";
import { removeHalfFiles, writeNewFile } from "../../atomic-file.ts";
import type { AuditTrail } from "../../audit/trail.ts";
import { ageCipher } from "../../backup/encryption.ts";
import { CliError } from "../../errors.ts";
import type { PersonSite } from "../person.ts";
import { exportParts, type Exported, type ExportOptions } from "./parts.ts";
import { exportNumbers, type ExportPlan } from "./plan.ts";

export interface ExportFile extends ExportOptions {
  readonly file: string;
  /** An age recipient: only who has its identity can open the file. */
  readonly recipient: string | undefined;
}

/** @throws CliError where the name is taken, or its folder is not there; nothing was read or written then. */
export async function assertFree(file: string): Promise<void> {
  const there = await lstat(file).catch(() => undefined);
  if (there !== undefined)
    throw new CliError(`${file} already exists`, { hint: "choose another name, or remove it" });
  const folder = await stat(dirname(file)).catch(() => undefined);
  if (folder?.isDirectory() !== true) throw new CliError(`the folder of ${file} does not exist`);
}

/**
 * Writes what a plan found into a zip file that its owner alone can read: whole or not at all. The trail is told before anything is
 * given out. What a run that was killed left half is removed. What has vanished since the plan is told, not waited for.
 */
export async function writeExport(
  site: PersonSite & { readonly trail: Pick<AuditTrail, "record"> },
  plan: ExportPlan,
  { file, recipient, ...options }: ExportFile,
): Promise<Exported> {
  await assertFree(file);
  await removeHalfFiles(file);
  const { items, files, earlierVersions, bytes } = exportNumbers(plan);
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((all, each) => all + each, 0);
  await site.trail.record({
    action: "user.exported",
    // The trail is kept, and an address names somebody.
    userId: plan.userId.includes("@") ? undefined : plan.userId,
    details: {
      items: sum(items),
      objects: sum(files),
      versions: earlierVersions,
      bytes,
      method: recipient === undefined ? "zip" : "age",
    },
  });
  const exported: Exported = { parts: [], missing: [], leftOut: [] };
  const zip = makeZip(entries(exportParts(site, plan, { options, exported })));
  await writeNewFile(file, recipient === undefined ? zip : await ageCipher([recipient], []).sealStream(zip));
  return exported;
}

async function* entries(parts: ReturnType<typeof exportParts>) {
  for await (const { name, modifiedAt: lastModified, bytes: input } of parts)
    yield { name, lastModified, input, mode: 0o600 };
}
