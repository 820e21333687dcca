import type { AnyCommand, Begin } from "../program.ts";
import { docCheck } from "./doc-check.ts";
import { docConfirm } from "./doc-confirm.ts";
import { docGet } from "./doc-get.ts";
import { docList } from "./doc-list.ts";
import { docRename } from "./doc-rename.ts";
import { docRequest } from "./doc-request.ts";
import { docRestore } from "./doc-restore.ts";
import { docRevoke } from "./doc-revoke.ts";
import { docRm } from "./doc-rm.ts";
import { docScan } from "./doc-scan.ts";
import { docShow } from "./doc-show.ts";
import { docTag } from "./doc-tag.ts";
import { docUpload } from "./doc-upload.ts";
import { docUrl } from "./doc-url.ts";

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
