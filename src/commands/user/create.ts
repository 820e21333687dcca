import { Command, Option } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { visible } from "../../output/text.ts";
import { collected } from "../../text-file.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import { accountJson, accountsToChange, accountText, changingAccounts } from "./site.ts";

/** `mawps user create`: an account for an address. */
export function userCreate(begin: Begin): AnyCommand {
  return new Command("create")
    .description("make an account; Cognito sends an invitation with a first password")
    .argument("<email>", "the address that signs in")
    .option("--name <name>", "the person's name")
    .option("--group <group>", "also put them into this group")
    .addOption(
      new Option(
        "--temporary-password <from>",
        "take the first password from stdin, or give them none that anybody knows; no message is sent then",
      ).choices(["stdin", "none"] as const),
    )
    .addHelpText("after", '\nExample:\n  mawps user create max@example.com --name "Max Mustermann"')
    .action(async (email, { name, group, temporaryPassword }, command) => {
      const run = await begin(command as AnyCommand);
      const [{ makeAccount, planAccount, checkAddress }, { changeMembership, isMembershipDue, assertGroup }] =
        await Promise.all([import("../../users/create.ts"), import("../../users/attributes.ts")]);
      checkAddress(email);
      const invitation =
        temporaryPassword === undefined
          ? "sent"
          : { password: temporaryPassword === "none" ? undefined : await passwordFrom(run) };
      const site = await accountsToChange(run);
      if (group !== undefined) await assertGroup(site, group);
      const plan = await planAccount(site, { email, name, invitation });
      const { dryRun } = run.config;
      const { existing } = plan;
      const isNew = existing === undefined;
      const isJoining =
        group !== undefined &&
        (isNew || (await isMembershipDue(site, { account: existing, group, isMember: true })));
      const changed = isNew || isJoining;
      const joining = isJoining ? `put into group ${visible(group)}` : undefined;
      if (dryRun) {
        return run.print({ email, username: plan.username, changed, dryRun }, () =>
          isNew
            ? [
                `would make an account for ${visible(email)}`,
                ...(joining === undefined ? [] : [joining]),
              ].join(", ")
            : accountText(existing, joining === undefined ? "already exists" : `would be ${joining}`),
        );
      }
      const changing = await changingAccounts(run, site);
      const { account, undelivered } = await makeAccount(changing, plan);
      const membership = { account, group: group ?? "", isMember: true };
      if (isJoining) await changeMembership(changing, membership);
      const what = isNew ? "made an account" : "already exists";
      await run.print({ ...accountJson(account), changed, dryRun }, () =>
        accountText(account, joining === undefined ? what : `${what}; ${joining}`),
      );
      if (undelivered !== undefined)
        throw new CliError(`made, not invited: ${undelivered}`, {
          exitCode: exitCodes.partial,
          hint: `when the reason is gone: \`mawps user invite ${visible(email)}\``,
        });
    });
}

/** More than Cognito takes. */
const mostBytes = 1024;

async function passwordFrom({ world, interactive }: Run): Promise<string> {
  if (interactive) return world.prompts.password("First password of the account:");
  const password = (await collected(world.stdin, mostBytes))?.toString().replace(/\r?\n$/, "") ?? "";
  if (password === "")
    throw new CliError("stdin holds no password of one line", { exitCode: exitCodes.usage });
  return password;
}
