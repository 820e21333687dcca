import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { getSmallObject, headObject, putObject } from "../aws/s3/objects.ts";
import { auditTextOf, signedText, type AuditEvent, type Signer } from "../model/audit.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { claimKey, type TrailPlace } from "./place.ts";

/*
 * Whoever may write to the table can compute hashes, and so could add entries behind the anchor that look as if a run
 * had been killed before it anchored them. So each run has a key pair of its own that lives in its memory alone. It
 * signs its entries, and announces the public key in the bucket before it puts the first of them. An entry that no
 * anchor vouches for is believed when the run that signed it had announced itself there. The same object tells what
 * is under way: what it names and no entry tells of was interrupted.
 */

/** A change that was announced and of whose end the trail has no entry yet. */
export interface OpenChange {
  /** Its number within the run, from 1: the last entry of the change carries it, too. */
  readonly change: number;
  readonly event: AuditEvent;
}

export interface Claim {
  readonly actor: string;
  readonly changes: readonly OpenChange[];
}

/** A claim as it was found, and when it was written by S3's clock. */
export interface StoredClaim extends Claim {
  readonly written: Date | undefined;
}

/** What stands before the 32 bytes of a private key of Ed25519 in PKCS #8 (RFC 8410, section 7). */
const keyHead = Buffer.from("302e020100300506032b657004220420", "hex");

export function newSigner(): Signer {
  // Not by generateKeyPairSync: Node 20 waits for itself for ever where garbage is collected while such a key is exported.
  const der = Buffer.concat([keyHead, randomBytes(32)]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    writer: Buffer.from(x, "base64url").toString("hex"),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64"),
  };
}

/** Whether an entry was signed by the writer that it names. */
export function isSigned(stored: JsonObject): boolean {
  const { writer, signature } = stored;
  if (typeof writer !== "string" || !/^[0-9a-f]{64}$/.test(writer) || typeof signature !== "string")
    return false;
  const x = Buffer.from(writer, "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, Buffer.from(signedText(stored)), key, Buffer.from(signature, "base64"));
}

/** At most so many changes stand in a claim: it is to be written fast. */
const mostChanges = 2000;

/** Announces the run that signs as `writer` with what it has under way, in place of what it announced before. */
export async function writeClaim(site: TrailPlace, writer: string, claim: Claim): Promise<void> {
  const changes = claim.changes.slice(0, mostChanges).map(({ change, event }) => ({
    change,
    event: auditTextOf(event),
  }));
  await put(site, writer, `${JSON.stringify({ ...claim, changes })}\n`);
}

/** Nothing is under way, yet or any more. The object stays: it is what makes the run's entries believed. */
export async function closeClaim(site: TrailPlace, writer: string): Promise<void> {
  await put(site, writer, "");
}

async function put(site: TrailPlace, writer: string, text: string): Promise<void> {
  // Without the run's signal: what was done before Ctrl-C is announced all the same.
  await putObject(site.aws, {
    bucket: site.bucket,
    key: claimKey(site, writer),
    body: Buffer.from(text),
    contentType: "application/json",
  });
}

/** Far more than so many changes take: what is larger is no claim, and is not read to its end. */
const mostBytes = 16 * 1024 ** 2;

/** What a run announced and did not close; undefined where the object holds no claim. */
export async function readClaim(site: TrailPlace, writer: string): Promise<StoredClaim | undefined> {
  const { aws, bucket, signal } = site;
  const get = { bucket, key: claimKey(site, writer), maxBytes: mostBytes, signal };
  const { bytes, head } = await getSmallObject(aws, get);
  // The run has come to its end meanwhile.
  const claim = bytes?.byteLength === 0 ? { actor: "", changes: [] } : bytes && claimIn(bytes.toString());
  return claim === undefined ? undefined : { ...claim, written: head.lastModified };
}

function claimIn(text: string): Claim | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    if (!isRecord(value) || typeof value["actor"] !== "string") return undefined;
    const changes = (Array.isArray(value["changes"]) ? value["changes"] : []) as unknown[];
    return { actor: value["actor"], changes: changes.filter(isOpenChange) };
  } catch {
    return undefined;
  }
}

function isOpenChange(value: unknown): value is OpenChange {
  if (!isRecord(value) || !Number.isSafeInteger(value["change"])) return false;
  const { event } = value;
  return isRecord(event) && typeof event["action"] === "string";
}

/** Asks of each writer once whether it announced itself. */
export function announcements(site: TrailPlace): (writer: string) => Promise<boolean> {
  const asked = new Map<string, Promise<boolean>>();
  const { aws, bucket, signal } = site;
  return (writer) => {
    const known =
      asked.get(writer) ??
      headObject(aws, { bucket, key: claimKey(site, writer) }, signal).then((head) => head !== undefined);
    asked.set(writer, known);
    return known;
  };
}
