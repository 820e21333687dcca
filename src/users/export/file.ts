import { fileStamp } from "../../model/file-stamp.ts";
import { toldId } from "../../model/user-id.ts";
import { basename, dirname } from "node:path";
import { rm } from "node:fs/promises";
import { assertFree, beginFile, halfFilesOf, writeNewFile } from "../../atomic-file.ts";
import type { Context } from "../../context.ts";
import { bytes as inBytes } from "../../model/bytes.ts";
import type { AuditTrail } from "../../audit/trail.ts";
import { ageCipher } from "../../backup/encryption.ts";
import type { People } from "../person.ts";
import { hashPosition, keptField, openKeptFiles } from "./kept-files.ts";
import { exportParts, type Exported, type ExportOptions, type Part } from "./parts.ts";
import { exportNumbers, filesOf, type ExportPlan } from "./plan.ts";
import { zipWriter } from "./zip.ts";

export interface ExportFile extends Omit<ExportOptions, "kept"> {
  readonly file: string;
  /** Of age: only who has the identity of one of them can open the file; without any it is not encrypted. */
  readonly recipients: readonly string[];
}

/** The name of an export that was given none. */
export function defaultName(at: Date, isEncrypted: boolean): string {
  const stamp = fileStamp(at);
  return `export-${stamp}.zip${isEncrypted ? ".age" : ""}`;
}

/** Names that only the time tells apart; what an encrypted run has left is of no use to anybody, a plain one to a plain one. */
function isLike(file: string): (name: string) => boolean {
  const name = basename(file);
  if (!/^export-\d{8}T\d{6}Z\.zip(\.age)?$/.test(name)) return (other) => other === name;
  const like = name.endsWith(".age")
    ? /^export-\d{8}T\d{6}Z\.zip\.age$/
    : /^export-\d{8}T\d{6}Z\.zip(\.age)?$/;
  return (other) => like.test(other);
}

/**
 * Writes what a plan found into a zip file that its owner alone can read: whole or not at all. The trail is told before anything is
 * given out, and of the outcome. What has vanished since the plan is told, not waited for. Files that an interrupted run has fetched are not
 * fetched again, by whichever time it was named; an encrypted export is begun anew, because nobody here can read what is there of it.
 */
export async function writeExport(
  site: People & Pick<Context, "note" | "machine"> & { readonly trail: Pick<AuditTrail, "irreversible"> },
  plan: ExportPlan,
  { file, recipients, ...options }: ExportFile,
): Promise<Exported> {
  await assertFree(file);
  const left = await halfFilesOf(dirname(file), isLike(file), site.machine);
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
    if (recipients.length === 0) return writePlain(site, plan, { file, left, options, exported });
    const zip = zipped(exportParts(site, plan, { options, exported }));
    const cipher = await ageCipher(recipients, []);
    const { pid } = site.machine;
    await writeNewFile(file, await cipher.sealStream(zip), { pid });
    for (const path of left) await rm(path, { force: true });
  });
  return exported;
}

async function* zipped(parts: AsyncIterable<Part>): AsyncGenerator<Uint8Array, void> {
  const zip = zipWriter();
  for await (const part of parts) yield* zip.entry(part, part.bytes);
  yield* zip.end();
}

interface PlainFile {
  readonly file: string;
  /** Half files of earlier runs. */
  readonly left: readonly string[];
  readonly options: ExportOptions;
  readonly exported: Exported;
}

/** What it has of files when it ends early stays, for the next run to go on with. */
async function writePlain(
  site: People & Pick<Context, "note" | "machine">,
  plan: ExportPlan,
  { file, left, options, exported }: PlainFile,
): Promise<void> {
  const begun = await beginFile(file, { replaces: false, pid: site.machine.pid });
  let hasFiles = false;
  try {
    const kept = await openKeptFiles(left, {
      versions: filesOf(plan.holdings),
      owner: await begun.owner(),
    });
    try {
      if (kept.bytes > 0)
        site.note(`goes on after ${inBytes(kept.bytes)} of files that an interrupted export has fetched`);
      const zip = zipWriter();
      for await (const part of exportParts(site, plan, { options: { ...options, kept }, exported })) {
        const { name, version } = part;
        hasFiles ||= version !== undefined;
        const start = zip.sizeBytes;
        const entry = { ...part, extra: version && keptField(version) };
        for await (const piece of zip.entry(entry, part.bytes)) await begun.append(piece);
        const sha256 = exported.parts.at(-1)?.sha256;
        if (version !== undefined && sha256 !== undefined)
          await begun.overwrite(Buffer.from(sha256, "hex"), hashPosition(start, name));
      }
      for (const piece of zip.end()) await begun.append(piece);
      await begun.finish();
      await kept.remove();
    } finally {
      await kept.close();
    }
  } catch (error) {
    if (hasFiles) site.note(`the same command goes on with what is in ${await begun.keep()}`);
    throw error;
  } finally {
    await begun.close();
  }
}
