import { Command } from "@commander-js/extra-typings";
import { trailOf } from "../../audit/place.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { auditKey, keyOption, publicKeyOption } from "./key.ts";

/** `mawps audit anchor`: the end of the trail in one signed line, to be kept elsewhere. */
export function auditAnchor(begin: Begin): AnyCommand {
  return new Command("anchor")
    .description(
      "the end of the trail in one signed line, to be kept where nobody who writes the trail comes",
    )
    .option(
      "--key <file or KMS key>",
      "private key of Ed25519 as PEM, or kms:<id, alias/name or ARN>; else MAWPS_AUDIT_KEY has the text of either",
      keyOption,
    )
    .option(
      "--public-key <hex>",
      "whose line it is to be; KMS is then not asked for it, and kms:Sign is enough",
      publicKeyOption,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mawps audit anchor --key audit.key >> anchors.txt\n  mawps audit anchor --target aws --key kms:alias/mawps-audit",
    )
    .action(async ({ key: given, publicKey }, command) => {
      const run = await begin(command as AnyCommand);
      const { world } = run;
      const key = await auditKey(world, given);
      if (key === undefined) {
        throw new CliError("there is no key to sign with", {
          exitCode: exitCodes.usage,
          hint: "openssl genpkey -algorithm ed25519 -out audit.key; then --key audit.key, or MAWPS_AUDIT_KEY",
        });
      }
      const [{ verifyTrail }, { readHead }, { anchorLine }, { signerOf }] = await Promise.all([
        import("../../audit/verify.ts"),
        import("../../audit/entries.ts"),
        import("../../audit/signed-anchor.ts"),
        import("../../audit/signer.ts"),
      ]);
      const context = await run.context("reads");
      const signer = await signerOf(key, context, publicKey);
      const place = trailOf(context);
      const at = world.now();
      const head = await readHead(place);
      // What is signed is vouched for.
      const verifying = verifyTrail(place, at);
      let step = await verifying.next();
      while (step.done !== true) step = await verifying.next();
      if (step.value.faults > 0) {
        throw new CliError(`the audit trail has ${count(step.value.faults, "fault")}; nothing was signed`, {
          exitCode: exitCodes.findings,
          hint: "`mawps audit verify` names them",
        });
      }
      const line = await anchorLine({ table: place.table, at, head }, signer);
      const { sequence, hash } = head;
      await run.printCode({ line, sequence, hash, at, publicKey: signer.publicKey }, () => line);
    });
}
