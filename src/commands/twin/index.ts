import type { AnyCommand, Begin } from "../command.ts";
import { twinDiff } from "./diff.ts";
import { twinExport } from "./export.ts";
import { twinHistoryVerb } from "./history.ts";
import { twinMigrate } from "./migrate.ts";
import { twinRollback } from "./rollback.ts";
import { twinShow } from "./show.ts";
import { twinSnippet } from "./snippet.ts";
import { twinValidate } from "./validate.ts";

/** `mawps twin …`: the training data of the owner's digital twin. */
export function twin(noun: AnyCommand, begin: Begin): void {
  const verbs = [
    twinShow,
    twinExport,
    twinMigrate,
    twinValidate,
    twinHistoryVerb,
    twinDiff,
    twinRollback,
    twinSnippet,
  ];
  for (const verb of verbs) noun.addCommand(verb(begin));
}
