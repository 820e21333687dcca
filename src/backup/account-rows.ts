import { CliError, exitCodes } from "../errors.ts";
import { holds } from "../model/items.ts";
import { own } from "../model/json.ts";
import { afterKind, isStandIn, rowSubjects, type AccountSubject } from "../model/person-rows.ts";
import { valuesIn } from "../stores/person-tables.ts";
import { chunksOf } from "./database-restore.ts";
import type { PersonMeant } from "./restore-scope.ts";
import type { RestoreSite } from "./restore-site.ts";
import { snapshotTables } from "./snapshot.ts";

type Reading = Pick<RestoreSite, "repository" | "manifest" | "signal" | "model">;

interface Account {
  readonly subject: string;
  readonly id: string;
  readonly addresses: readonly string[];
}

/**
 * Who is meant by an id or an address, with the kind in front or not, where accounts are rows of databases: by those of the backup. Of whom
 * there is none there is the id as it is given.
 * @throws CliError where several could be meant, and for whoever stands for the erased.
 */
export async function personInRows(reading: Reading, given: string): Promise<PersonMeant> {
  const { model } = reading;
  const kinds = rowSubjects(model).map(({ subject }) => subject);
  const named = afterKind(given, kinds);
  const all = await accountsWith(reading, named === undefined ? [given] : [given, named.name]);
  const whole = all.filter((account) => isCalled(account, given));
  const ofKind = all.filter(
    (account) => named !== undefined && account.subject === named.kind && isCalled(account, named.name),
  );
  const [account, ...others] = whole.length > 0 ? whole : ofKind;
  if (others.length > 0) {
    throw new CliError(`several accounts of the backup are called ${JSON.stringify(given)}`, {
      hint: `say which of them is meant: ${[account, ...others].map((each) => `${each?.subject}:${each?.id}`).join(" or ")}`,
    });
  }
  const { kind, name } = named ?? { kind: undefined, name: given };
  const otherwise =
    account === undefined && name.includes("@") ? all.filter((each) => isCalled(each, name)) : [];
  if (otherwise.length > 0) {
    throw new CliError(`no ${kind} of the backup is called ${JSON.stringify(name)}`, {
      hint: `--user ${otherwise.map(({ subject }) => `${subject}:${name}`).join(" or ")}`,
    });
  }
  const found = account ?? { subject: kind, id: name, addresses: [] };
  if (isStandIn(model, found.id)) {
    throw new CliError(`${found.id} stands for people who were erased, and is nobody's`, {
      exitCode: exitCodes.usage,
    });
  }
  return { subject: found.subject, ids: [found.id, ...(await ownAddresses(reading, found))] };
}

/** Those that no other account has. */
async function ownAddresses(
  reading: Reading,
  { subject, id, addresses }: Pick<Account, "id" | "addresses"> & { readonly subject: string | undefined },
): Promise<readonly string[]> {
  const fit = addresses.filter((address) => address.includes("@") && !address.endsWith("@invalid"));
  if (fit.length === 0) return [];
  const all = await accountsWith(reading, fit);
  const others = all.filter((account) => account.subject !== subject || account.id !== id);
  return fit.filter((address) => !others.some((account) => isCalled(account, address)));
}

function isCalled({ id, addresses }: Account, given: string): boolean {
  if (!given.includes("@")) return id === given;
  return addresses.some((address) => address.toLowerCase() === given.toLowerCase());
}

/** The accounts of the backup with one of the names. */
async function accountsWith(reading: Reading, names: readonly string[]): Promise<Account[]> {
  const found: Account[] = [];
  for (const subject of rowSubjects(reading.model))
    for await (const account of accountsOf(reading, subject))
      if (names.some((name) => isCalled(account, name))) found.push(account);
  return found;
}

async function* accountsOf(reading: Reading, subject: AccountSubject): AsyncGenerator<Account> {
  const {
    manifest: { databases = [] },
    model,
  } = reading;
  const entity = own(model.entities, subject.entity);
  const [idColumn = "id", ...addressColumns] = subject.ids;
  if (entity === undefined || !("database" in entity.from)) return;
  const { database: role, table: name } = entity.from;
  const database = databases.find((each) => each.role === role);
  const rows = database?.tables.find((each) => each.name === name);
  const table = database && snapshotTables(database).find((each) => each.name === name);
  if (database === undefined || rows === undefined || table === undefined) return;
  for await (const chunk of chunksOf(reading, rows)) {
    for (const row of chunk) {
      const id = own(row, idColumn) ?? "";
      const isThis =
        entity.when === undefined || holds(entity.when, valuesIn({ database, rows: table }, entity, row));
      if (id === "" || !isThis) continue;
      yield {
        subject: subject.subject,
        id,
        addresses: addressColumns.flatMap((column) => own(row, column) ?? []),
      };
    }
  }
}
