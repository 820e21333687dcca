import type { KeyObject } from "node:crypto";
import { CliError, exitCodes } from "../../errors.ts";
import type { World } from "../../world.ts";

/** The key that signs anchors: of a file, else of MAWPS_AUDIT_KEY; undefined where there is neither. */
export async function auditKey(
  { env }: Pick<World, "env">,
  file: string | undefined,
): Promise<KeyObject | undefined> {
  const { MAWPS_AUDIT_KEY: text = "" } = env;
  if (file === undefined && text === "") return undefined;
  const { signingKey } = await import("../../audit/signed-anchor.ts");
  if (file === undefined) return signingKey(text, "MAWPS_AUDIT_KEY");
  const { readTextFile } = await import("../../text-file.ts");
  const pem = await readTextFile(file, { what: "a key", mostBytes: 64 * 1024 });
  if (pem === undefined) throw new CliError(`there is no file ${file}`, { exitCode: exitCodes.usage });
  return signingKey(pem, file);
}
