import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { localTime } from "../../output/dates.ts";
import { facts } from "../../output/table.ts";
import { count, visible } from "../../output/text.ts";
import { toldId } from "../../model/user-id.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { ErasurePlan } from "../../users/erasure-plan.ts";
import type { Run } from "../run.ts";

/** `mawps user erase`: everything of a person, with a receipt; and the check of one. */
export function userErase(begin: Begin): AnyCommand {
  return new Command("erase")
    .description("erase a person everywhere, with a receipt; `erase verify <receipt>` searches again")
    .argument("<user>", "sub, user name or e-mail address; or the word verify")
    .argument("[receipt]", "behind verify: the receipt of an erasure")
    .option("--deep", "also read every table for texts that name the person; they are told, not changed")
    .option("--output <file>", "write the plan into a file, with --dry-run too")
    .option(
      "--receipt <file>",
      "where the receipt goes: a new file, or that of a run that left something (default: receipt.json; beside another one receipt-<time>.json)",
    )
    .addHelpText(
      "after",
      "\nHere --confirm takes the address, or the id of who has none.\n\nExamples:\n  mawps user erase max@example.com --dry-run\n  mawps user erase max@example.com --confirm max@example.com --receipt receipt.json\n  mawps user erase verify receipt.json",
    )
    .action(async (given, receipt, options, command) => {
      const run = await begin(command as AnyCommand);
      if (given === "verify") {
        if (receipt !== undefined) return verifyReceipt(run, receipt);
        throw new CliError("which receipt is meant is not said: `mawps user erase verify <receipt>`", {
          exitCode: exitCodes.usage,
        });
      }
      if (receipt === undefined) return erasePerson(run, given, options);
      throw new CliError(`one user at a time: ${visible(given)}, ${visible(receipt)}`, {
        exitCode: exitCodes.usage,
      });
    });
}

async function erasePerson(
  run: Run,
  given: string,
  {
    output,
    receipt,
    deep = false,
  }: { readonly output?: string; readonly receipt?: string; readonly deep?: boolean },
): Promise<void> {
  const [{ isDone, openErasure, planErasure }, { erase, personOf }, { numbersOf, receiptOf }, files] =
    await Promise.all([
      import("../../users/erasure-plan.ts"),
      import("../../users/erase.ts"),
      import("../../users/receipt.ts"),
      import("../../users/receipt-file.ts"),
    ]);
  const { config, world } = run;
  const named = [output, receipt].flatMap((file) => (file === undefined ? [] : resolve(world.cwd, file)));
  if (named.length === 2 && named[0] === named[1])
    throw new CliError("--output and --receipt name the same file", { exitCode: exitCodes.usage });
  for (const file of named) await files.assertFolderOf(file);
  if (!config.dryRun) run.audit.prepare();
  const site = await openErasure(await run.context("writes"), "writes");
  const salt = world.randomHex(16);
  const plan = await planErasure(site, given, { salt, isDeep: deep });
  const { name, account, accountKind, traces, links, copies } = plan;
  const userId = toldId(plan.userId) ?? null;
  const planned = {
    userId,
    account: account !== undefined || accountKind !== undefined,
    ...numbersOf(plan),
    kept: traces.kept,
    expiring: traces.expiring,
    mentions: plan.mentions ?? null,
    links: links.length,
    copies,
  };
  const place = { cwd: world.cwd, given: receipt, now: world.now(), subject: plan.kind };
  const { isBegun } = config.dryRun ? { isBegun: false } : await files.placeOfReceipt(place, plan.ids);
  if (!config.dryRun && receipt === undefined && !isBegun && isDone(plan)) {
    const nothing = { userId, changed: false, isComplete: true, receipt: null, page: null };
    return run.print(
      nothing,
      () =>
        `${visible(name)} was erased before: searched again${userId === null ? " by the address" : ""}, and nothing was found`,
    );
  }
  if (output !== undefined) {
    const isWritten = await files.writePlan(resolve(world.cwd, output), planned, config.dryRun);
    run.note(isWritten ? `wrote the plan to ${output}` : `${output} stays the plan that it was`);
  }
  if (config.dryRun)
    return run.print({ ...planned, dryRun: true }, () => planText(plan, site.rows !== undefined));
  await run.outline(() => planText(plan, site.rows !== undefined));
  await confirmErasure(run, name);
  const person = personOf(plan, { salt, now: world.now() });
  const file = await files.writeBegunReceipt(place, plan.ids, person);
  await run.audit.open();
  const erased = await erase({ ...site, trail: run.audit }, plan, person);
  const proof = await receiptOf(site, plan, erased);
  await files.writeReceipt(file, proof, site.declaration.name);
  const page = files.pageBeside(file);
  await run.print({ ...proof, receipt: file, page }, () =>
    proof.isComplete
      ? [
          `erased ${visible(name)}: searched again, and nothing was found`,
          ...mentionFacts(erased.mentions).map(([what, where]) => `${what}: ${where}`),
          `receipt  ${file}`,
          `page     ${page}`,
        ].join("\n")
      : `not all of ${visible(name)} is erased\nreceipt  ${file}`,
  );
  if (!proof.isComplete) {
    throw new CliError("something is left; the same command goes on with it", {
      exitCode: exitCodes.partial,
      details: erased.failures,
    });
  }
}

/** The address itself is what confirms: typed, or by `--confirm`. `--yes` does where nothing is protected. */
async function confirmErasure(run: Run, name: string): Promise<void> {
  const { config, world, interactive } = run;
  if (config.confirm !== undefined) return assertSame(config.confirm, name);
  if (config.yes && !config.protected) return;
  if (!interactive) {
    throw new CliError(`there is no terminal to confirm the erasure of ${name}`, {
      hint: `pass --confirm ${name}`,
    });
  }
  assertSame(await world.prompts.input(`Type ${visible(name)} to erase all of this for good:`), name);
}

function assertSame(typed: string, name: string): void {
  if (typed.trim().toLowerCase() !== name.toLowerCase())
    throw new CliError(`it is ${name}, not ${JSON.stringify(typed)}; nothing was changed`);
}

function planText(plan: ErasurePlan, hasRows: boolean): string {
  const {
    userId,
    name,
    account,
    accountKind,
    traces,
    mentions,
    links,
    copies,
    sharedAddresses,
    ids,
    unlisted,
    tokenMinutes = 0,
  } = plan;
  const kinds = new Map<string, { items: number; versions: number; bytes: number; changes: number }>();
  const of = (what: string) => {
    const known = kinds.get(what) ?? { items: 0, versions: 0, bytes: 0, changes: 0 };
    kinds.set(what, known);
    return known;
  };
  for (const { what } of traces.items) of(what).items += 1;
  for (const { what } of traces.changes) of(what).changes += 1;
  for (const { what, deletes, changes } of traces.rows) {
    of(what).items += deletes.length;
    of(what).changes += changes.length;
  }
  for (const version of traces.versions) {
    of(version.what).versions += 1;
    of(version.what).bytes += version.bytes;
  }
  const uploadLinks = links.filter(({ kind }) => kind === "upload");
  const until = copies.recovery.flatMap((each) => (each.until === null ? [] : [each.until.getTime()]));
  const unread = copies.recovery.filter((each) => each.until === null);
  return facts([
    ["person", name === userId ? visible(name) : `${visible(name)} (${visible(userId)})`],
    ["before", unlisted.length < ids.length ? "erased already, or begun: this goes on" : undefined],
    ["account", accountFate({ account, accountKind }, hasRows)],
    ...[...kinds].map(([what, { items, versions, changes, bytes: size }]): [string, string] => [
      what,
      [
        ...(items > 0 ? [count(items, "item")] : []),
        ...(versions > 0 ? [`${count(versions, "version")} of files, ${bytes(size)}`] : []),
        ...(changes > 0 ? [`the name taken out of ${count(changes, "place")}`] : []),
      ].join(", "),
    ]),
    ["open uploads", traces.uploads.length === 0 ? undefined : `${traces.uploads.length} aborted`],
    ...traces.kept.map(({ what, items, basis, days }): [string, string] => [
      what,
      `${count(items, "item")} kept${days === null ? "" : `, each for ${count(days, "day")}`}: ${basis}`,
    ]),
    ...traces.expiring.map(({ what, items, until }): [string, string] => [
      what,
      `${count(items, "item")}, gone by ${localTime(until)}`,
    ]),
    ...mentionFacts(mentions),
    [
      "links",
      links.length === 0
        ? undefined
        : `${links.length} alive; those to read end with their files${links.some(({ kind }) => kind === "cdn") ? ", of which a CDN may have copies" : ""}`,
    ],
    [
      "upload links",
      uploadLinks.length === 0
        ? undefined
        : `${uploadLinks.length} take files until ${localTime(new Date(Math.max(...uploadLinks.map((each) => Date.parse(each.expiresAt ?? "")))))}`,
    ],
    [
      "shared",
      sharedAddresses.length === 0
        ? undefined
        : "the address is not verified, or another account's too: nothing under it",
    ],
    [
      "backups",
      copies.backups.length === 0
        ? undefined
        : `${copies.backups.length} with the person until pruned; restores leave them out${hasRows ? ", but for files whose keys name nobody" : ""}`,
    ],
    [
      "recovery",
      until.length === 0
        ? undefined
        : `tables can be brought back until ${localTime(new Date(Math.max(...until)))}: erase again after that`,
    ],
    [
      "recovery",
      unread.length === 0
        ? undefined
        : `of ${unread.map(({ table }) => table).join(", ")} it may not be read whether it can be brought back`,
    ],
    [
      "tokens",
      tokenMinutes === 0
        ? undefined
        : `those given out before live for up to ${tokenMinutes} minutes: erase verify after that`,
    ],
    [
      "not reached",
      `browsers that opened the site, messages, downloaded files, on-demand backups of tables, tables and buckets that the model does not name${
        hasRows ? ", logs, dumps, replicas and recovery of database servers" : ""
      }`,
    ],
  ]);
}

function accountFate(
  { account, accountKind }: Pick<ErasurePlan, "account" | "accountKind">,
  hasRows: boolean,
): string {
  if (account !== undefined) return "signed out and deleted";
  if (accountKind === undefined) return "none";
  return hasRows
    ? `of the database (${accountKind}), with its rows`
    : `of the table (${accountKind}), with its item`;
}

/** Where texts name the person that nobody changes. */
function mentionFacts(mentions: ErasurePlan["mentions"]): [string, string][] {
  if (mentions?.length === 0) return [["named in a text", "nowhere where the model links nothing to them"]];
  return (mentions ?? []).map(({ table, attribute, items }) => [
    "named in a text",
    `${count(items, "item")} of ${table}, ${visible(attribute)}: it stays, look at it yourself`,
  ]);
}

async function verifyReceipt(run: Run, file: string): Promise<void> {
  const [{ openErasure }, { checkReceipt }, { readReceipt }] = await Promise.all([
    import("../../users/erasure-plan.ts"),
    import("../../users/receipt.ts"),
    import("../../users/receipt-file.ts"),
  ]);
  const receipt = await readReceipt(resolve(run.world.cwd, file));
  const { looked, findings } = await checkReceipt(
    await openErasure(await run.context("reads"), "reads"),
    receipt,
  );
  const all = `${count(looked.items, "item")}, ${count(looked.objects, "version")} of objects, ${count(looked.accounts, "account")}`;
  await run.print({ isErased: findings.length === 0, looked, findings, erasedAt: receipt.erasedAt }, () =>
    findings.length === 0
      ? `nothing of the person erased on ${receipt.erasedAt.slice(0, 10)} is found among ${all}`
      : `found again: ${findings.join("; ")}`,
  );
  if (findings.length > 0)
    throw new CliError("the receipt does not hold any more", { exitCode: exitCodes.findings });
}
