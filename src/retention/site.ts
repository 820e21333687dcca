import type { Aws } from "../aws/clients.ts";
import { serverTime } from "../aws/s3/server-time.ts";
import type { DocumentSite } from "../documents/site.ts";
import { CliError } from "../errors.ts";
import type { Declaration } from "../model/declaration.ts";
import type { Proofs } from "./proven-pictures.ts";
import type { Rules } from "./rules.ts";

/** What retention works on: the site as declared, its documents, and the rules at a moment. */
export interface RetentionSite {
  readonly aws: Aws;
  readonly declaration: Declaration;
  readonly documents: DocumentSite;
  readonly rules: Rules;
  readonly proofs: Proofs;
  /** How far the local clock is ahead of S3's, in milliseconds; negative when it is behind. */
  readonly clockAheadMs: number;
  readonly signal: AbortSignal;
}

/** A clock this far ahead is wrong, and not only a slow answer. S3 itself refuses requests from 15 minutes on. */
const mostAheadMs = 5 * 60_000;

/**
 * Fixes the moment for which the rules decide: the earlier of the local clock and S3's, so that neither of them being
 * wrong makes anything due too soon.
 * @throws CliError when S3 does not tell its time.
 */
export async function openRetention(
  documents: DocumentSite,
  declaration: Declaration,
  proofs: Proofs,
): Promise<RetentionSite> {
  const { aws, signal } = documents;
  const theirs = await serverTime(aws, documents.bucket, signal);
  if (theirs === undefined) {
    throw new CliError("the server's answer has no Date: ages cannot be told for sure", {
      hint: "retention needs a server that tells its time, as S3 does",
    });
  }
  const ours = documents.now();
  const at = ours < theirs ? ours : theirs;
  return {
    aws,
    declaration,
    documents,
    proofs,
    rules: { byId: new Map(declaration.retention.map((rule) => [rule.id, rule])), at },
    clockAheadMs: ours.getTime() - theirs.getTime(),
    signal,
  };
}

/** Refuses to delete by a clock that is ahead. @throws CliError */
export function assertClock({ clockAheadMs }: RetentionSite): void {
  if (clockAheadMs <= mostAheadMs) return;
  const minutes = Math.round(clockAheadMs / 60_000).toLocaleString("en");
  throw new CliError(`the local clock is ${minutes} minutes ahead of S3's; nothing was deleted`, {
    hint: "set the clock, then run it again",
  });
}

/** The table of a role, by its configured name. */
export function tableOf({ declaration }: RetentionSite, role: string): string {
  const table = declaration.tables.find((each) => each.role === role);
  if (table === undefined) throw new Error(`no table is declared as ${role}`);
  return table.name;
}
