import { createHash } from "node:crypto";
import { CliError, exitCodes } from "../errors.ts";
import type { Engine } from "../sql/address.ts";
import { migrationStatements } from "../sql/schema-file.ts";

/** A migration of a database, as its two files have it. */
export interface SqlMigration {
  /** `NNNN-name`. Migrations run in the order of their ids. */
  readonly id: string;
  /** What stands in the comment at the head of `up`. */
  readonly description: string;
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** A migration and the SHA-256 of its two files, one behind the other. */
export interface RegisteredSql {
  readonly migration: SqlMigration;
  readonly checksum: string;
}

/**
 * The migrations in a folder, in their order. Pure.
 * @param files texts by the names of the files.
 * @throws CliError (usage) for a name that is none of a migration, a number that two have, one without `.up.sql` or `.down.sql`, and
 * a statement that a migration may not have.
 */
export function sqlMigrations(files: Readonly<Record<string, string>>, engine: Engine): RegisteredSql[] {
  const ids = new Set(Object.keys(files).map(idOf));
  const numbers = new Set<string>();
  return [...ids].sort().map((id) => {
    const number = id.slice(0, 4);
    if (numbers.has(number)) throw wrong(`two migrations have the number ${number}`);
    numbers.add(number);
    const [up, down] = (["up", "down"] as const).map((direction) => {
      const name = `${id}.${direction}.sql`;
      const text = files[name];
      if (text === undefined) throw wrong(`there is no ${name}`);
      return { text, statements: migrationStatements(text, engine, { name, direction }) };
    });
    // What `up` has put in stays, as it may be referred to by now; and what is run again would put it in twice.
    if (down?.statements.some(insertsRows) === true) throw wrong(`${id}.down.sql inserts rows`);
    return {
      migration: {
        id,
        description: headOf(up?.text ?? ""),
        up: up?.statements ?? [],
        down: down?.statements ?? [],
      },
      checksum: createHash("sha256")
        .update(`${up?.text ?? ""}${down?.text ?? ""}`)
        .digest("hex"),
    };
  });
}

/** Pure. */
export function insertsRows(statement: string): boolean {
  return /^INSERT\b/i.test(statement);
}

function idOf(name: string): string {
  const [, id] = /^(\d{4}-[a-z0-9]+(?:-[a-z0-9]+)*)\.(?:up|down)\.sql$/.exec(name) ?? [];
  if (id !== undefined) return id;
  throw wrong(`${name} is no name of a migration`);
}

function wrong(what: string): CliError {
  return new CliError(`the migrations of the model: ${what}`, {
    exitCode: exitCodes.usage,
    hint: "each has two files: 0001-name.up.sql, and 0001-name.down.sql that takes it back",
  });
}

function headOf(text: string): string {
  const [head = ""] = /^(?:--[^\n]*\n)*/.exec(text) ?? [];
  return head
    .split("\n")
    .map((line) => line.replace(/^--\s*/, "").trim())
    .join(" ")
    .replace(/\.?\s*$/, "");
}
