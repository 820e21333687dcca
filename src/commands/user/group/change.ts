import { visible } from "../../../output/text.ts";
import { accountJson, accountsToChange, accountText, changingAccounts } from "../site.ts";
import type { Run } from "../../run.ts";

/** Puts an account into a group or takes it out, and prints what came of it. */
export async function changeGroup(
  run: Run,
  given: string,
  { group, isMember }: { readonly group: string; readonly isMember: boolean },
): Promise<void> {
  const [{ changeMembership, isMembershipDue }, { theAccount }] = await Promise.all([
    import("../../../users/attributes.ts"),
    import("../../../users/pool.ts"),
  ]);
  const site = await accountsToChange(run);
  const account = await theAccount(site, given);
  const membership = { account, group, isMember };
  const changed = await isMembershipDue(site, membership);
  const { dryRun } = run.config;
  if (changed && !dryRun) await changeMembership(await changingAccounts(run, site), membership);
  const name = visible(group);
  const what = isMember ? `in the group ${name}` : `not in the group ${name}`;
  const how = changed ? (dryRun ? "would be" : "now") : "already";
  await run.print({ ...accountJson(account), group, isMember, changed, dryRun }, () =>
    accountText(account, `${how} ${what}`),
  );
}
