import type { Verification } from "../../audit/verify.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { count } from "../../output/text.ts";

/** @throws CliError (findings) where a trail has faults. */
export function assertSound({ faults }: Pick<Verification, "faults">): void {
  if (faults === 0) return;
  throw new CliError(`the audit trail has ${count(faults, "fault")}`, {
    exitCode: exitCodes.findings,
    hint: "keep the table and the versions of the anchor as they are; docs/audit-trail.md tells what each fault means",
  });
}
