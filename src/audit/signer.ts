import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { kmsPublicKey, kmsSign } from "../aws/kms/signing.ts";
import type { Context } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";

/** What anchors are signed with: a private key at hand, or the name of one that never leaves KMS. */
export type AuditKey = KeyObject | { readonly kms: string };

/** Signs with Ed25519 (RFC 8032). */
export interface Signer {
  /** Of the key, as hex. */
  readonly publicKey: string;
  sign(text: Uint8Array): Promise<Uint8Array>;
}

type Asking = Pick<Context, "aws" | "signal" | "target">;

/**
 * Signs with that key.
 * @param publicKey hex, whose it is to be; where it is known KMS is not asked for it, and the writer needs `kms:Sign` alone.
 */
export async function signerOf(
  key: AuditKey,
  context: Asking,
  publicKey: string | undefined,
): Promise<Signer> {
  if (!("kms" in key))
    return { publicKey: publicKey ?? publicKeyOf(key), sign: async (text) => sign(undefined, text, key) };
  assertOnAws(key.kms, context);
  const { aws, signal } = context;
  return {
    publicKey: publicKey ?? (await publicKeyIn(key.kms, context)),
    sign: (text) => kmsSign(aws, { key: key.kms, signal }, text),
  };
}

/** Hex of the public key that belongs to what anchors are signed with; KMS is asked for its own. */
export async function publicKeyFor(key: AuditKey, context: () => Promise<Asking>): Promise<string> {
  return "kms" in key ? publicKeyIn(key.kms, await context()) : publicKeyOf(key);
}

async function publicKeyIn(key: string, context: Asking): Promise<string> {
  assertOnAws(key, context);
  const { aws, signal } = context;
  return publicKeyOf(await kmsPublicKey(aws, { key, signal }));
}

function assertOnAws(key: string, { target }: Asking): void {
  if (target === "aws") return;
  throw new CliError(`the key ${key} is one of KMS, and the local store has none`, {
    exitCode: exitCodes.usage,
    hint: "name a file: --key audit.key; or work on AWS: --target aws",
  });
}

/** What `kms:` or an ARN names. Pure. */
export function kmsKeyIn(text: string): string | undefined {
  const [, key] = /^\s*(?:kms:)?(arn:[\w-]+:kms:\S+|(?<=kms:)\S+)\s*$/.exec(text) ?? [];
  return key;
}

/** The private key in a PEM text, also one whose line breaks a variable has as `\n`. @throws CliError where it is none of Ed25519. */
export function signingKey(text: string, where: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(text.replaceAll(String.raw`\n`, "\n"));
  } catch {
    key = undefined;
  }
  if (key?.asymmetricKeyType === "ed25519") return key;
  throw new CliError(`${where} holds no private key of Ed25519`, {
    exitCode: exitCodes.usage,
    hint: "openssl genpkey -algorithm ed25519 -out audit.key",
  });
}

function publicKeyOf(key: KeyObject): string {
  const { x = "" } = (key.type === "public" ? key : createPublicKey(key)).export({ format: "jwk" });
  return Buffer.from(x, "base64url").toString("hex");
}

/** The public key that a line has as hex. Pure. */
export function keyFromHex(hex: string): KeyObject {
  const x = Buffer.from(hex, "hex").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}
