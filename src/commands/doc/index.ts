import type { AnyCommand, Begin } from "../command.ts";
import { docCheck } from "./check.ts";
import { docConfirm } from "./confirm.ts";
import { docGet } from "./get.ts";
import { docList } from "./list.ts";
import { docRename } from "./rename.ts";
import { docRequest } from "./request.ts";
import { docRestore } from "./restore.ts";
import { docRevoke } from "./revoke.ts";
import { docRm } from "./rm.ts";
import { docScan } from "./scan.ts";
import { docShow } from "./show.ts";
import { docTag } from "./tag.ts";
import { docUpload } from "./upload.ts";
import { docUrl } from "./url.ts";

const verbs = [
  docUpload,
  docList,
  docShow,
  docUrl,
  docRevoke,
  docGet,
  docRequest,
  docConfirm,
  docRm,
  docRestore,
  docTag,
  docRename,
  docScan,
  docCheck,
];

/** `mawps doc …`: the documents of users. */
export function doc(noun: AnyCommand, begin: Begin): void {
  for (const verb of verbs) noun.addCommand(verb(begin));
}
