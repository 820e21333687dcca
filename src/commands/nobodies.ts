import { nobodiesText, type Nobodies } from "../model/nobodies.ts";
import type { Run } from "./run.ts";

/** Says beside a count of people what was no person's, and so is not in it. */
export function noteNobodies(run: Run, nobodies: Nobodies): void {
  const text = nobodiesText(nobodies);
  if (text !== undefined) run.note(text);
}
