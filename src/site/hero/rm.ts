import { commitUntold } from "../../audit/commit.ts";
import type { Context } from "../../context.ts";
import type { HeroRole } from "../../model/keys.ts";
import { ownerId } from "../../model/user-id.ts";
import { liveIn } from "./live.ts";
import {
  changePointer,
  isUntouched,
  planPointer,
  readPointer,
  type PointerChange,
  type ReadPointer,
} from "./pointer.ts";

/** A picture that is to be taken off the website. */
export interface Removal {
  readonly role: HeroRole;
  /** What is live; null where nothing is, and nothing is to be done. */
  readonly previousUrl: string | null;
  readonly read: ReadPointer;
  readonly change: PointerChange;
}

/** @throws CliError for an item that has no room for the change. */
export async function planRemoval(context: Context, role: HeroRole): Promise<Removal> {
  const read = await readPointer(context);
  const previousUrl = liveIn(read.pointer, role);
  const details = { role, previousUrl: previousUrl ?? undefined };
  const change: PointerChange = {
    plan: (state) => planPointer(state, { [role]: null }, context.now()),
    holds: isUntouched(role),
    told: () => ({ action: "hero.removed", userId: ownerId, details }),
  };
  if (previousUrl !== null) change.plan(read);
  return { role, previousUrl, read, change };
}

/** Takes it off: its pointer becomes null, the object stays for a rollback. */
export async function removeHero(context: Context, { read, change }: Removal): Promise<void> {
  await context.audit.irreversible(change.told(read), () =>
    changePointer(context, read, { ...change, commit: commitUntold }),
  );
}
