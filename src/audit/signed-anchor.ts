import { verify } from "node:crypto";
import { isAuditTime, isSequence, type ChainHead } from "../model/audit.ts";
import { CliError, exitCodes } from "../errors.ts";
import { storedChain } from "./entries.ts";
import type { TrailPlace } from "./place.ts";
import { keyFromHex, type Signer } from "./signer.ts";

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

/** How the trail stands to a head that is known from outside. */
type Standing = "same" | "gone" | "another" | "cut";

/**
 * Looks for the entry of a head that is known from outside. `gone`: later ones are there, and what they say of its end proves nothing to who
 * does not trust the trail; `cut`: nothing is as far.
 */
export async function standingOf(
  site: TrailPlace,
  { sequence, hash }: Pick<ChainHead, "sequence" | "hash">,
): Promise<Standing> {
  if (sequence === 0) return "same";
  for await (const stored of storedChain(site, { fromSequence: sequence })) {
    if (stored["sequence"] !== sequence) return "gone";
    return stored["hash"] === hash ? "same" : "another";
  }
  return "cut";
}
