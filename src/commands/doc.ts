import type { AnyCommand, Begin } from "../program.ts";
import { docList } from "./doc-list.ts";
import { docUpload } from "./doc-upload.ts";

/** `mawps doc …`: the documents of users. */
export function doc(noun: AnyCommand, begin: Begin): void {
  for (const verb of [docUpload, docList]) noun.addCommand(verb(begin));
}
