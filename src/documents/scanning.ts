import type { Clamd } from "../scan/conversation.ts";
import type { ScanResult } from "../model/documents.ts";
import type { DocumentsFeature } from "../model/schema.ts";
import type { Verdict } from "../scan/verdict.ts";

/** The virus scanner of a site, and what it means when it cannot say anything. */
export interface Scanner {
  readonly clamd: Clamd;
  readonly timeoutMs: number;
  /** Above it nothing is ever clean. */
  readonly maxBytes: number;
  /** Whether a document that was not scanned is taken all the same. */
  readonly policy: "refuse" | "allow";
}

/** Why nobody was asked. */
export type Unasked = "no-scanner" | "not-asked";

/** What came of a scan, or why there was none. */
export type Judgement = Verdict | Unasked;

/** The attributes of an entry that hold a judgement; those that it does not set are to be removed. */
const judgementAttributes = ["scanResult", "scannedAt", "scanEngine", "scanSignature", "scanReason"];

/**
 * A judgement as attributes of an entry. `scannedAt` stands only where an engine has seen the bytes.
 */
export function judgementChange(
  judgement: Judgement,
  now: Date,
): { set: Record<string, string>; remove: string[] } {
  const set = attributesOf(judgement, now.toISOString());
  return { set, remove: judgementAttributes.filter((name) => !(name in set)) };
}

function attributesOf(judgement: Judgement, scannedAt: string): Record<string, string> {
  if (typeof judgement === "string") return { scanResult: "SKIPPED", scanReason: judgement };
  const { result } = judgement;
  switch (result) {
    case "CLEAN":
      return { scanResult: result, scannedAt, scanEngine: judgement.engine };
    case "INFECTED": {
      const { engine, signature } = judgement;
      const found = { scanResult: result, scannedAt, scanSignature: signature };
      return engine === undefined ? found : { ...found, scanEngine: engine };
    }
    case "ERROR":
    case "SKIPPED":
      return { scanResult: result, scanReason: judgement.reason };
  }
}

export function scanResultOf(judgement: Judgement): ScanResult {
  return typeof judgement === "string" ? "SKIPPED" : judgement.result;
}

export function isInfected(judgement: Judgement): judgement is Extract<Verdict, { result: "INFECTED" }> {
  return typeof judgement !== "string" && judgement.result === "INFECTED";
}

/** The scan results with which the site lets a file be READY; undefined where any but INFECTED will do. */
type ReadyWith = { readonly documents: Pick<DocumentsFeature, "readyWith"> } | undefined;

/** Whether a file with this scan result, or with none, may be READY. */
export function mayBeReady(site: ReadyWith, result: ScanResult | undefined): boolean {
  const { readyWith } = site?.documents ?? {};
  return readyWith === undefined || readyWith.some((each) => each === result);
}

/** Whether a file that no scanner has told of is not taken: by the policy, or because the site has none READY with that. */
export function isNotTaken(judgement: Judgement, scanner: Scanner | Unasked, site: ReadyWith): boolean {
  if (isInfected(judgement)) return false;
  if (!mayBeReady(site, scanResultOf(judgement))) return true;
  return isUndecided(judgement) && typeof scanner !== "string" && scanner.policy === "refuse";
}

/** Why a file was not scanned, or what its scan came to, in a few words. */
export function unscannedText(judgement: Judgement): string {
  if (judgement === "no-scanner") return "it was not scanned: no virus scanner is configured";
  if (judgement === "not-asked") return "it was not scanned: no scanner was asked";
  return isUndecided(judgement) ? `it was not scanned: ${judgement.detail}` : `it is ${judgement.result}`;
}

/** Whether a scanner was asked and could not tell. */
export function isUndecided(
  judgement: Judgement,
): judgement is Extract<Verdict, { result: "ERROR" | "SKIPPED" }> {
  return typeof judgement !== "string" && judgement.result !== "CLEAN" && judgement.result !== "INFECTED";
}
