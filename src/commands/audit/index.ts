import type { AnyCommand, Begin } from "../command.ts";
import { auditAnchor } from "./anchor.ts";
import { auditExport } from "./export.ts";
import { auditReport } from "./report.ts";
import { auditList } from "./list.ts";
import { auditVerify } from "./verify.ts";

/** `mawps audit …`: who changed what, and the proof that nobody changed that record. */
export function audit(noun: AnyCommand, begin: Begin): void {
  for (const verb of [auditList, auditVerify, auditAnchor, auditReport, auditExport])
    noun.addCommand(verb(begin));
}
