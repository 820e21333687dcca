import { isUnscanned } from "../model/documents.ts";
import type { StoredEntry } from "./entry.ts";

/** What is known of the stored documents by their verdicts; deleted ones and half-done uploads are left out. */
export interface ScanReport {
  readonly counts: Readonly<Record<"CLEAN" | "INFECTED" | "SKIPPED" | "ERROR" | "never", number>>;
  /** Those that were skipped or whose scan failed; never scanned ones are only counted. */
  readonly unscanned: readonly {
    readonly userId: string;
    readonly id: string;
    readonly name: string;
    readonly scanResult: "SKIPPED" | "ERROR";
    readonly scanReason?: string;
  }[];
  /** How many `mawps doc scan --unscanned` would take: those whose file no engine has judged. */
  readonly due: number;
}

/** Counts by verdict, and names so many that are unscanned: all by default. */
export async function scanReport(
  users: AsyncIterable<readonly StoredEntry[]>,
  most = Number.POSITIVE_INFINITY,
): Promise<ScanReport> {
  const counts = { CLEAN: 0, INFECTED: 0, SKIPPED: 0, ERROR: 0, never: 0 };
  const unscanned: ScanReport["unscanned"][number][] = [];
  let due = 0;
  for await (const entries of users) {
    for (const { userId, document } of entries) {
      const { id, name, status, scanResult, attributes } = document;
      if (status === "DELETED" || status === "UPLOADING") continue;
      counts[scanResult ?? "never"] += 1;
      if (document.s3Key !== "" && isUnscanned(document)) due += 1;
      if ((scanResult !== "SKIPPED" && scanResult !== "ERROR") || unscanned.length >= most) continue;
      const reason = attributes["scanReason"];
      unscanned.push({
        userId,
        id,
        name,
        scanResult,
        ...(typeof reason === "string" ? { scanReason: reason } : {}),
      });
    }
  }
  return { counts, unscanned, due };
}
