import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import type { LocalRequest, LocalResponse, LocalService } from "@mawps/local-aws/src/service.ts";

/** KMS as far as anchors of the audit trail ask it, with a key of Ed25519 and one of another kind; it checks no signature of requests. */
export interface Kms extends LocalService {
  /** What was asked, in order: operation, key, and the region that it was signed for. */
  readonly asked: string[];
  /** Operations that this identity may not call. */
  denied: readonly string[];
}

export const ed25519Key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
export const otherKey = "alias/p256";

export function startKms(): Kms {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const derOf = (key: KeyObject) => key.export({ type: "spki", format: "der" }).toString("base64");
  const kms: Kms = {
    asked: [],
    denied: [],
    async handle(request) {
      const operation = (request.headers["x-amz-target"] ?? "").replace("TrentService.", "");
      const input = await inputOf(request);
      const [, region] =
        /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers["authorization"] ?? "") ?? [];
      kms.asked.push(`${operation} ${input.KeyId} ${region}`);
      if (kms.denied.includes(operation)) return fault("AccessDeniedException");
      if (![ed25519Key, otherKey].includes(input.KeyId)) return fault("NotFoundException");
      if (operation === "GetPublicKey") {
        const { KeyId } = input;
        return KeyId === ed25519Key
          ? answer(200, { KeyId, KeySpec: "ECC_NIST_EDWARDS25519", PublicKey: derOf(publicKey) })
          : answer(200, { KeyId, KeySpec: "ECC_NIST_P256", PublicKey: derOf(other.publicKey) });
      }
      if (operation !== "Sign") return fault("UnknownOperationException");
      const isOfKey = input.KeyId === ed25519Key && input.SigningAlgorithm === "ED25519_SHA_512";
      // KMS takes the whole text for this algorithm, and no digest.
      if (!isOfKey || input.MessageType !== "RAW") return fault("InvalidKeyUsageException");
      const Signature = sign(null, Buffer.from(input.Message ?? "", "base64"), privateKey).toString("base64");
      return answer(200, { KeyId: input.KeyId, Signature, SigningAlgorithm: input.SigningAlgorithm });
    },
    close: async () => undefined,
  };
  return kms;
}

interface Input {
  readonly KeyId: string;
  readonly Message?: string;
  readonly MessageType?: string;
  readonly SigningAlgorithm?: string;
}

async function inputOf(request: LocalRequest): Promise<Input> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request.body) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as Input;
}

function fault(name: string): LocalResponse {
  return answer(400, { __type: name, message: `${name} of the test` });
}

function answer(status: number, document: object): LocalResponse {
  const body = Buffer.from(JSON.stringify(document));
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.1", "content-length": String(body.length) },
    body,
  };
}
