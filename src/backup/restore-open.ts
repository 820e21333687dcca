import { resolve } from "node:path";
import { attributeOf, isOwnAddress } from "../aws/cognito/users-list.ts";
import type { Context } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { accountItems } from "../model/links.ts";
import { mawpsModel } from "../model/mawps.ts";
import { nobodyWith } from "../model/nobodies.ts";
import { rowSubjects } from "../model/person-rows.ts";
import { toolRoles } from "../model/tool-tables.ts";
import { personInRows } from "./account-rows.ts";
import { erasedUsers } from "./erasures.ts";
import { parseItemLine } from "./item-line.ts";
import { chosenSnapshot, openBackups, refuseOtherModel } from "./open.ts";
import { readNewIds } from "./remap.ts";
import { readLedger } from "./restore-audit.ts";
import { sourcesOf } from "./restore-items.ts";
import { usersOf } from "./restore-plan.ts";
import { readLeftKeys, wantsDatabase, type PersonMeant, type RestoreScope } from "./restore-scope.ts";
import { destinationOf, type OnConflict, type RestoreSite } from "./restore-site.ts";
import { rowNamed } from "./row-name.ts";
import type { Manifest } from "./snapshot.ts";
import { namedOf } from "./user-line.ts";

/** What is to be restored, and how, as the flags say it. */
export interface Wanted {
  readonly snapshot: string;
  readonly repo?: string;
  readonly only?: readonly string[];
  readonly user?: string;
  /** A row, or items: see `itemMeant`. */
  readonly item?: string;
  readonly intoPrefix?: string;
  readonly intoTable?: string;
  readonly onConflict: OnConflict;
  readonly remap?: true;
  readonly fromElsewhere?: true;
  readonly resumeFrom?: string;
}

/** Opens the snapshot that is meant and the place that it goes to, and reads who was erased. */
export async function openRestore(
  context: Context,
  wanted: Wanted,
): Promise<{ site: RestoreSite; isLedgerEmpty: boolean; poolId: string | undefined }> {
  const { aws, model, signal, backups } = context;
  const { intoPrefix: prefix = "", intoTable, onConflict, resumeFrom } = wanted;
  for (const flag of ["user", "item"] as const) assertNames(flag, wanted[flag]);
  context.progress("reading the backup");
  const repository = await openBackups(context, wanted.repo);
  if (!repository.canRead) {
    throw new CliError("the repository is encrypted, and no key for it is at hand", {
      hint: "set backup.identityFile, backup.passphraseFile or MAWPS_BACKUP_PASSPHRASE",
    });
  }
  const { manifest } = await chosenSnapshot(context, repository, wanted.snapshot);
  if (wanted.fromElsewhere !== true) await refuseElsewhere(context, manifest);
  refuseOtherModel(context, manifest);
  const declaration = context.declarationUnder(prefix);
  const place = { aws, repository, manifest, spool: backups.spool, signal };
  const trails = manifest.tables
    .filter(({ role }) => role === toolRoles.audit)
    .map((table) => destinationOf({ declaration }, "table", table));
  const ledger = await readLedger(place, [context.tables.auditLog, ...trails]);
  const reading = { ...place, model };
  const person = wanted.user === undefined ? undefined : await personOf(reading, wanted.user);
  const scope: RestoreScope = {
    only: wanted.only ?? [],
    userId: person?.ids[0],
    person,
    ...(wanted.item === undefined ? {} : await itemMeant(reading, wanted.item)),
    retry: resumeFrom === undefined ? undefined : await readLeftKeys(resolve(backups.cwd, resumeFrom)),
  };
  if (scope.row !== undefined && person !== undefined)
    throw new CliError("--user and a row of --item are both given", { exitCode: exitCodes.usage });
  const roles = new Set(
    (manifest.databases ?? []).flatMap((each) => (wantsDatabase(scope, each) ? [each.role] : [])),
  );
  const databases =
    roles.size === 0 ? undefined : await context.databasesNamed(({ role }) => roles.has(role), { prefix });
  const site: RestoreSite = {
    ...place,
    databases,
    model,
    declaration,
    prefix,
    intoTable,
    onConflict,
    scope,
    isErased: erasedUsers(ledger),
    now: () => context.now(),
    onProgress: context.progress,
  };
  const poolId = context.declaration.userPool?.id;
  const ids = wanted.remap === true ? await newIds(site, poolId) : undefined;
  return { site: { ...site, ids }, isLedgerEmpty: ledger.length === 0, poolId };
}

/**
 * A backup of another account, region or store is most often a mistake in the profile. A local store takes any: looking
 * into a backup there harms nobody.
 */
async function refuseElsewhere(context: Context, { id, account, region, target }: Manifest): Promise<void> {
  if (context.target === "local") return;
  const { aws } = context;
  const here = await context.account();
  const differs = [
    ...(target === "local" ? ["of a local store"] : []),
    ...(account === undefined || here === undefined || account === here
      ? []
      : [`of the account ${account}, and this one is ${here}`]),
    ...(region === aws.region ? [] : [`of the region ${region}, and this one is ${aws.region}`]),
  ];
  if (differs.length === 0) return;
  throw new CliError(`the backup ${id} is ${differs.join("; ")}; nothing was changed`, {
    hint: "--from-elsewhere, if that is meant; else look at the profile, --region and --repo",
  });
}

type Reading = Parameters<typeof personInRows>[0] & Parameters<typeof sourcesOf>[0];

const rolesOfTool = new Set<string>(Object.values(toolRoles));

/** @throws CliError (usage) for what can name nothing: no text, or a colon with nothing on one side of it. Pure. */
function assertNames(flag: "user" | "item", given: string | undefined): void {
  if (given === undefined || !/^\s*$|^:|^[^:]*:\s*$/.test(given)) return;
  throw new CliError(`--${flag} ${JSON.stringify(given)} names nothing`, {
    exitCode: exitCodes.usage,
    hint:
      flag === "user"
        ? "an id or an address, where there are several kinds of people with the kind in front: customer:42"
        : "user-123/user-profile, or a row of a database: users:42",
  });
}

/** Who is meant, by the accounts in the snapshot, wherever these are. */
async function personOf(reading: Reading, given: string): Promise<PersonMeant> {
  if (rowSubjects(reading.model).length > 0) return personInRows(reading, given);
  const id = somebody(reading, await idOf(reading, given));
  return { ids: [id, ...(await ownAddress(reading, id))] };
}

/** By which rows name somebody of the user pool: the verified address that is no other account's. */
async function ownAddress(reading: Reading, id: string): Promise<readonly string[]> {
  if (reading.model.databases === undefined) return [];
  const theirs: string[] = [];
  const others = new Set<string>();
  for await (const user of usersOf(reading)) {
    const account = namedOf(user);
    const email = attributeOf(account, "email");
    if (email === undefined) continue;
    if (user.seen.sub !== id) others.add(email.toLowerCase());
    else if (isOwnAddress(account, email)) theirs.push(email);
  }
  return theirs.filter((email) => !others.has(email.toLowerCase()));
}

/** `users:u-1`: a row of a database; `user-123/user-profile`: one person's items, or the one of that type. */
async function itemMeant(reading: Reading, given: string): Promise<Pick<RestoreScope, "row" | "item">> {
  const row = rowNamed(reading.manifest, given);
  if (row !== undefined) return { row };
  const { databases = [], tables } = reading.manifest;
  if (databases.length > 0 && tables.every(({ role }) => rolesOfTool.has(role))) {
    const [, table = given] = /^([^:]*):/.exec(given) ?? [];
    throw new CliError(`--item ${given}: no database of the backup has a table ${JSON.stringify(table)}`, {
      exitCode: exitCodes.usage,
      hint: "a row is named by its table and key: users:42; backup show lists the tables",
    });
  }
  const [, userId = "", type] = /^([^/]+)(?:\/(.+))?$/s.exec(given) ?? [];
  return { item: { userId: await idOf(reading, userId), type } };
}

/** The id of the account in the snapshot that has this name or e-mail address; else the text is an id itself. */
async function idOf(place: Reading, given: string): Promise<string> {
  const wanted = given.toLowerCase();
  const found = new Set<string>();
  for await (const user of usersOf(place)) {
    const { sub } = user.seen;
    if (sub === given) return given;
    const account = namedOf(user);
    const email = attributeOf(account, "email")?.toLowerCase();
    if (account.username === given || email === wanted) found.add(sub);
  }
  if (given.includes("@")) for await (const id of idsInTable(place, wanted)) found.add(id);
  if (found.size > 1) {
    throw new CliError(`several accounts of the backup are called ${JSON.stringify(given)}`, {
      hint: `give the id of one: ${[...found].join(", ")}`,
    });
  }
  return [...found][0] ?? given;
}

/** The ids of accounts in a table of the snapshot with this address, which is in lower case. */
async function* idsInTable(place: Reading, address: string): AsyncGenerator<string> {
  const accounts = accountItems(place.model);
  const table = place.manifest.tables.find(({ role }) => role === accounts?.table);
  if (accounts === undefined || table === undefined) return;
  for (const source of sourcesOf(place, table))
    for await (const lines of source.open())
      for (const line of lines) {
        const item = parseItemLine(line, { name: table.name, described: table.description.keys });
        const account = accounts.accountIn(item);
        if (account?.email?.toLowerCase() === address) yield account.id;
      }
}

/** @throws CliError for an id that can be no person's on MAWPS, which an address without an account is, too. */
function somebody({ model }: Reading, userId: string): string {
  const what = model === mawpsModel ? nobodyWith(userId) : undefined;
  if (what === undefined) return userId;
  throw new CliError(`${JSON.stringify(userId)} is no user of the backup: what has this id is ${what}`, {
    hint: "--item brings it back",
  });
}

async function newIds(site: RestoreSite, poolId: string | undefined): Promise<RestoreSite["ids"]> {
  if (poolId === undefined || site.manifest.userPool === undefined) {
    throw new CliError("--remap needs accounts in the backup, and a user pool (userPoolId)", {
      exitCode: exitCodes.usage,
    });
  }
  const { aws, signal } = site;
  const found = await readNewIds({ aws, poolId, users: usersOf(site), signal, now: () => site.now() });
  return { newIds: found.newIds, missing: new Set(found.missing) };
}
