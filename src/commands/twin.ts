import type { AnyCommand, Begin } from "../program.ts";
import { twinDiff } from "./twin-diff.ts";
import { twinExport } from "./twin-export.ts";
import { twinHistoryVerb } from "./twin-history.ts";
import { twinMigrate } from "./twin-migrate.ts";
import { twinRollback } from "./twin-rollback.ts";
import { twinShow } from "./twin-show.ts";
import { twinSnippet } from "./twin-snippet.ts";
import { twinValidate } from "./twin-validate.ts";

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
