import type { KMSClient } from "@aws-sdk/client-kms";
import { createPublicKey, type KeyObject } from "node:crypto";
import { CliError, exitCodes } from "../../errors.ts";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName } from "../setting.ts";

/** A key that KMS holds, by its id, `alias/…` or ARN. */
interface KmsKey {
  readonly key: string;
  readonly signal: AbortSignal;
}

/**
 * The public half of a key of Ed25519.
 * @throws CliError where there is no such key, or it is of another kind.
 */
export async function kmsPublicKey(aws: Aws, { key, signal }: KmsKey): Promise<KeyObject> {
  const [kms, { GetPublicKeyCommand }] = await Promise.all([clientOf(aws, key), import("./sdk.ts")]);
  const { KeySpec, PublicKey } = await tellingKey(key, () =>
    kms.send(new GetPublicKeyCommand({ KeyId: key }), abortable(signal)),
  );
  const found = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
  if (found.asymmetricKeyType === "ed25519") return found;
  throw otherKind(key, `is no key of Ed25519, but ${KeySpec ?? found.asymmetricKeyType}`);
}

/**
 * Lets KMS sign with Ed25519 as RFC 8032 has it (`ED25519_SHA_512` takes the whole text, up to 4,096 bytes): whoever has the public
 * key can check it without KMS. https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 * @throws CliError where there is no such key, or it is of another kind.
 */
export async function kmsSign(aws: Aws, { key, signal }: KmsKey, text: Uint8Array): Promise<Uint8Array> {
  const [kms, { SignCommand }] = await Promise.all([clientOf(aws, key), import("./sdk.ts")]);
  const command = new SignCommand({
    KeyId: key,
    Message: text,
    MessageType: "RAW",
    SigningAlgorithm: "ED25519_SHA_512",
  });
  const { Signature } = await tellingKey(key, () => kms.send(command, abortable(signal)));
  return Signature ?? new Uint8Array();
}

function clientOf(aws: Aws, key: string): Promise<KMSClient> {
  const [, region = aws.region] = /^arn:[\w-]+:kms:([\w-]+):/.exec(key) ?? [];
  return aws.kms(region);
}

async function tellingKey<T>(key: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const name = errorName(error) ?? "";
    if (otherUse.has(name)) throw otherKind(key, "cannot sign with Ed25519", error);
    const what = states.get(name);
    if (what === undefined) throw error;
    throw new CliError(`the key ${key} of KMS ${what}`, {
      hint: "aws kms describe-key tells of it; --region says where it is, unless its ARN does",
      cause: error,
    });
  }
}

const otherUse = new Set(["InvalidKeyUsageException", "UnsupportedOperationException"]);

const states = new Map([
  ["NotFoundException", "does not exist"],
  ["InvalidArnException", "is none that KMS understands"],
  ["ValidationException", "is none that KMS understands, or cannot sign with Ed25519"],
  ["DisabledException", "is disabled"],
  ["KMSInvalidStateException", "is about to be deleted, or cannot be used now"],
]);

function otherKind(key: string, what: string, cause?: unknown): CliError {
  return new CliError(`the key ${key} of KMS ${what}`, {
    exitCode: exitCodes.usage,
    hint: "aws kms create-key --key-spec ECC_NIST_EDWARDS25519 --key-usage SIGN_VERIFY makes one that can",
    cause,
  });
}
