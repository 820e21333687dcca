import type { AnyCommand, Begin } from "../program.ts";
import { auditExport } from "./audit-export.ts";
import { auditList } from "./audit-list.ts";
import { auditVerify } from "./audit-verify.ts";

/** `mawps audit …`: who changed what, and the proof that nobody changed that record. */
export function audit(noun: AnyCommand, begin: Begin): void {
  for (const verb of [auditList, auditVerify, auditExport]) noun.addCommand(verb(begin));
}
