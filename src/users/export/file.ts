import { fileStamp } from "../../model/file-stamp.ts";
import { toldId } from "../../model/user-id.ts";
import { basename } from "node:path";
import { makeZip } from "client-zip";
import { assertFree, removeHalfFiles, writeNewFile } from "../../atomic-file.ts";
import type { AuditTrail } from "../../audit/trail.ts";
import { ageCipher } from "../../backup/encryption.ts";
import type { People } from "../person.ts";
import { exportParts, type Exported, type ExportOptions } from "./parts.ts";
import { exportNumbers, type ExportPlan } from "./plan.ts";

export interface ExportFile extends ExportOptions {
  readonly file: string;
  /** Of age: only who has the identity of one of them can open the file; without any it is not encrypted. */
  readonly recipients: readonly string[];
}

/** The name of an export that was given none. */
export function defaultName(at: Date, isEncrypted: boolean): string {
  const stamp = fileStamp(at);
  return `export-${stamp}.zip${isEncrypted ? ".age" : ""}`;
}

function isDefaultName(name: string): boolean {
  return /^export-\d{8}T\d{6}Z\.zip(\.age)?$/.test(name);
}

/**
 * Writes what a plan found into a zip file that its owner alone can read: whole or not at all. The trail is told before anything is
 * given out, and of the outcome. What a run that was killed left half is removed, by whichever time it was named. What has vanished since the plan is told, not waited for.
 */
export async function writeExport(
  site: People & { readonly trail: Pick<AuditTrail, "irreversible"> },
  plan: ExportPlan,
  { file, recipients, ...options }: ExportFile,
): Promise<Exported> {
  await assertFree(file);
  await removeHalfFiles(file, isDefaultName(basename(file)) ? isDefaultName : undefined);
  const { items, files, earlierVersions, bytes } = exportNumbers(plan);
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((all, each) => all + each, 0);
  const event = {
    action: "user.exported" as const,
    userId: toldId(plan.userId),
    details: {
      items: sum(items),
      objects: sum(files),
      versions: earlierVersions,
      bytes,
      method: recipients.length === 0 ? "zip" : "age",
    },
  };
  const exported: Exported = { parts: [], missing: [], leftOut: [] };
  await site.trail.irreversible(event, async () => {
    const zip = makeZip(entries(exportParts(site, plan, { options, exported })));
    await writeNewFile(file, recipients.length === 0 ? zip : await ageCipher(recipients, []).sealStream(zip));
  });
  return exported;
}

async function* entries(parts: ReturnType<typeof exportParts>) {
  for await (const { name, modifiedAt: lastModified, bytes: input } of parts)
    yield { name, lastModified, input, mode: 0o600 };
}
