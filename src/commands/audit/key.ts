import { resolve } from "node:path";
import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { AuditKey } from "../../audit/signer.ts";
import { CliError, exitCodes } from "../../errors.ts";
import type { World } from "../../world.ts";

/** The key that signs anchors: of a file or of KMS as given, else what MAWPS_AUDIT_KEY says; undefined where there is neither. */
export async function auditKey(
  { env, cwd }: Pick<World, "env" | "cwd">,
  given: string | undefined,
): Promise<AuditKey | undefined> {
  const { MAWPS_AUDIT_KEY: text = "" } = env;
  if (given === undefined && text === "") return undefined;
  const { kmsKeyIn, signingKey } = await import("../../audit/signer.ts");
  const kms = kmsKeyIn(given ?? text);
  if (kms !== undefined) return { kms };
  if (given === undefined) return signingKey(text, "MAWPS_AUDIT_KEY");
  const { readTextFile } = await import("../../text-file.ts");
  const file = resolve(cwd, given);
  const pem = await readTextFile(file, { what: "a key", mostBytes: 64 * 1024 });
  if (pem === undefined) throw new CliError(`there is no file ${file}`, { exitCode: exitCodes.usage });
  return signingKey(pem, file);
}

/** What names a private key: a file, or one of KMS. */
export function keyOption(text: string): string {
  if (/^(kms:)?\s*$/.test(text))
    throw new InvalidArgumentError("expected a file, or kms: with an id, alias or ARN.");
  return text;
}

/** A public key of Ed25519, as lines of anchors have it. */
export function publicKeyOption(text: string): string {
  if (!/^[\da-f]{64}$/.test(text)) throw new InvalidArgumentError("expected 64 hex digits.");
  return text;
}
