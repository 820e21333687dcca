import type { AnyCommand, Begin } from "../command.ts";
import { userConfirm } from "./confirm.ts";
import { userCreate } from "./create.ts";
import { userDisable } from "./disable.ts";
import { userDuplicates } from "./duplicates.ts";
import { userEnable } from "./enable.ts";
import { userErase } from "./erase.ts";
import { userExport } from "./export.ts";
import { userGroup } from "./group/index.ts";
import { userHold } from "./hold/index.ts";
import { userImport } from "./import.ts";
import { userInvite } from "./invite.ts";
import { userList } from "./list.ts";
import { userMfa } from "./mfa/index.ts";
import { userOrphans } from "./orphans.ts";
import { userResetPassword } from "./reset-password.ts";
import { userSet } from "./set.ts";
import { userShow } from "./show.ts";
import { userSignOut } from "./sign-out.ts";

const verbs = [
  userList,
  userShow,
  userCreate,
  userImport,
  userInvite,
  userConfirm,
  userDisable,
  userEnable,
  userSignOut,
  userResetPassword,
  userMfa,
  userGroup,
  userSet,
  userHold,
  userDuplicates,
  userOrphans,
  userExport,
  userErase,
];

/** `mawps user …`: the accounts of people. */
export function user(noun: AnyCommand, begin: Begin): void {
  for (const verb of verbs) noun.addCommand(verb(begin));
}
