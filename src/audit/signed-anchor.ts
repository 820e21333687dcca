import { verify } from "node:crypto";
import { isAuditTime, isSequence, type ChainHead } from "../model/audit.ts";
import { inParallel } from "../concurrency.ts";
import { CliError, exitCodes } from "../errors.ts";
import { storedChain } from "./entries.ts";
import type { TrailPlace } from "./place.ts";
import { keyFromHex, type Signer } from "./signer.ts";
import type { Fault } from "./verify.ts";

/** The head of a trail as it was at some time, to be kept where nobody who can write to the trail comes. */
interface OutsideAnchor {
  readonly table: string;
  readonly sequence: number;
  readonly hash: string;
  /** End of that entry's life in epoch seconds. */
  readonly ttl: number;
  readonly at: string;
  /** Of who signed it: Ed25519, hex. */
  readonly publicKey: string;
}

const word = "mawps-anchor-2";

/** The head in one line, for a ticket or a mail. @throws CliError where the signature is not that public key's. */
export async function anchorLine(
  {
    table,
    at,
    head,
  }: {
    readonly table: string;
    readonly at: Date;
    readonly head: Pick<ChainHead, "sequence" | "hash" | "ttl">;
  },
  signer: Signer,
): Promise<string> {
  const text = [word, table, head.sequence, head.hash, head.ttl, at.toISOString(), signer.publicKey].join(
    " ",
  );
  const signature = await signer.sign(Buffer.from(text));
  if (!isSigned(text, signature, signer.publicKey)) {
    throw new CliError(`the key that signed is not the one of the public key ${signer.publicKey}`, {
      exitCode: exitCodes.usage,
      hint: "without --public-key it is asked for, or computed",
    });
  }
  return `${text} ${Buffer.from(signature).toString("base64url")}`;
}

/**
 * Reads such a line, and checks its signature. Pure.
 * @param publicKey whose it must be; without it any sound one will do: who signed is not proved then.
 * @param where for messages: `line 2 of anchors.txt`.
 * @throws CliError (failed) for what is none, or was not signed so: it tells nothing of the trail.
 */
export function readAnchorLine(
  line: string,
  { where, publicKey }: { readonly where: string; readonly publicKey: string | undefined },
): OutsideAnchor {
  const wrong = (what: string) => new CliError(`${where} ${what}; the trail was not compared with it`);
  const fields = line.trim().split(/\s+/);
  const [mark, table = "", number = "", hash = "", end = "", at = "", key = "", signature = "", ...rest] =
    fields;
  const [sequence, ttl] = [Number(number), Number(end)];
  const isOne =
    mark === word &&
    rest.length === 0 &&
    (sequence === 0 || isSequence(sequence)) &&
    isHex(hash) &&
    /^\d{1,15}$/.test(end) &&
    isAuditTime(at) &&
    isHex(key);
  if (!isOne) throw wrong("is no line of `mawps audit anchor`");
  if (publicKey !== undefined && key !== publicKey) throw wrong("was signed with another key");
  const text = fields.slice(0, -1).join(" ");
  if (!isSigned(text, Buffer.from(signature, "base64url"), key)) throw wrong("is not what was signed");
  return { table, sequence, hash, ttl, at, publicKey: key };
}

function isSigned(text: string, signature: Uint8Array, publicKey: string): boolean {
  return verify(null, Buffer.from(text), keyFromHex(publicKey), signature);
}

function isHex(text: string): boolean {
  return /^[\da-f]{64}$/.test(text);
}

/** An entry of which is known from outside that it was there. */
export interface KnownEntry {
  readonly sequence: number;
  readonly hash: string;
  /** Whose trail, where somebody signed that. */
  readonly table?: string;
  /** Its end of life, where somebody signed it. */
  readonly ttl?: number;
}

/** Entries; a list of anchors has one for each day of years. */
const lookedForAtOnce = 16;

const standings = {
  another: "is another than the one that was noted outside",
  cut: "is gone with all behind it: it was noted outside",
  gone: "is gone, and nothing from outside proves that its time was over: it could not be compared",
  same: undefined,
} as const;

/**
 * Looks for each of these entries. One may be gone when its signed end is over, or that of a later one: no entry ends before an earlier one.
 * What the trail itself says of its end proves nothing to who does not trust it.
 */
export async function outsideFaults(
  site: TrailPlace,
  known: readonly KnownEntry[],
  now: Date,
): Promise<Fault[]> {
  const over = known.filter(({ ttl }) => ttl !== undefined && ttl * 1000 <= now.getTime());
  const lastOver = over.reduce((last, { sequence }) => Math.max(last, sequence), -1);
  const faults = await inParallel(known, lookedForAtOnce, async ({ sequence, hash }): Promise<Fault[]> => {
    const standing = await standingOf(site, { sequence, hash });
    const what = standing === "gone" && sequence <= lastOver ? undefined : standings[standing];
    return what === undefined
      ? []
      : [{ fault: "outside", sequence, what, id: `outside:${sequence}:${hash}` }];
  });
  return faults.flat();
}

/** `gone`: later ones are there; `cut`: nothing is as far. */
async function standingOf(
  site: TrailPlace,
  { sequence, hash }: Pick<KnownEntry, "sequence" | "hash">,
): Promise<keyof typeof standings> {
  if (sequence === 0) return "same";
  for await (const stored of storedChain(site, { fromSequence: sequence })) {
    if (stored["sequence"] !== sequence) return "gone";
    return stored["hash"] === hash ? "same" : "another";
  }
  return "cut";
}
