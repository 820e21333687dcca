import type { AnyCommand, Begin } from "../program.ts";
import { docCheck } from "./doc-check.ts";
import { docList } from "./doc-list.ts";
import { docRename } from "./doc-rename.ts";
import { docRestore } from "./doc-restore.ts";
import { docRm } from "./doc-rm.ts";
import { docScan } from "./doc-scan.ts";
import { docShow } from "./doc-show.ts";
import { docTag } from "./doc-tag.ts";
import { docUpload } from "./doc-upload.ts";

const verbs = [docUpload, docList, docShow, docRm, docRestore, docTag, docRename, docScan, docCheck];

/** `mawps doc …`: the documents of users. */
export function doc(noun: AnyCommand, begin: Begin): void {
  for (const verb of verbs) noun.addCommand(verb(begin));
}
