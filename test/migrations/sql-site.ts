import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestHome } from "../support/world.ts";

/** A small site of one table, in the words of each engine: what it begins with, and what two migrations make of it. */
const sources = {
  mysql: {
    "0001-notes.up.sql":
      "-- First.\nCREATE TABLE notes (id VARCHAR(36) NOT NULL PRIMARY KEY, body VARCHAR(20), made TIMESTAMP NULL);",
    "0001-notes.down.sql": "DROP TABLE notes;",
    "0002-titles.up.sql":
      "-- Second.\nALTER TABLE notes ADD COLUMN title VARCHAR(50);\nINSERT INTO notes (id, title) VALUES ('first', 'Hallo; Welt?');\nALTER TABLE notes ADD KEY notes_title (title);\nALTER TABLE notes MODIFY body VARCHAR(40);",
    "0002-titles.down.sql":
      "ALTER TABLE notes MODIFY body VARCHAR(20);\nALTER TABLE notes DROP KEY notes_title;\nALTER TABLE notes DROP COLUMN title;",
    schema:
      "CREATE TABLE notes (id VARCHAR(36) NOT NULL PRIMARY KEY, body VARCHAR(40), made TIMESTAMP NULL, title VARCHAR(50), KEY notes_title (title));\nINSERT INTO notes (id, title) VALUES ('first', 'Hallo; Welt?');",
  },
  postgres: {
    "0001-notes.up.sql":
      "-- First.\nCREATE TABLE notes (id varchar(36) PRIMARY KEY, body varchar(20), made timestamptz);",
    "0001-notes.down.sql": "DROP TABLE notes;",
    "0002-titles.up.sql":
      "-- Second.\nALTER TABLE notes ADD COLUMN title varchar(50);\nINSERT INTO notes (id, title) VALUES ('first', 'Hallo; Welt?');\nCREATE INDEX notes_title ON notes (title);\nALTER TABLE notes ALTER COLUMN body TYPE varchar(40);",
    "0002-titles.down.sql":
      "ALTER TABLE notes ALTER COLUMN body TYPE varchar(20);\nDROP INDEX notes_title;\nALTER TABLE notes DROP COLUMN title;",
    schema:
      "CREATE TABLE notes (id varchar(36) PRIMARY KEY, body varchar(40), made timestamptz, title varchar(50));\nINSERT INTO notes (id, title) VALUES ('first', 'Hallo; Welt?');\nCREATE INDEX notes_title ON notes (title);",
  },
} as const;

const model = (engine: keyof typeof sources) => ({
  name: "notes",
  region: "eu-central-1",
  buckets: { trail: { name: "notes-trail", access: "private" } },
  tables: {
    auditLog: { name: "notes-audit-log", tool: "audit", anchors: "trail" },
    migrations: { name: "notes-migrations", tool: "migrations" },
  },
  databases: { main: { engine, name: "notes", schema: "notes.sql", migrations: "changes" } },
  subjects: { user: { what: "user", ids: ["id"] } },
  entities: {
    notes: {
      what: "notes",
      from: { database: "main", table: "notes" },
      fields: { id: "text" },
      personal: false,
      reason: "nobody's",
    },
    auditAnchors: {
      what: "anchors",
      from: { bucket: "trail" },
      key: "audit/{table}/{path+}",
      personal: false,
      reason: "hashes",
    },
    journal: { what: "journal", from: { table: "migrations" }, personal: false, reason: "no rows" },
    auditEntries: { what: "trail", from: { table: "auditLog" }, personal: false, reason: "no people" },
  },
});

/** Writes the model with its files into the home, with other files where a test gives them (undefined: without that one). */
export async function writeNotes(
  home: TestHome,
  engine: keyof typeof sources,
  files: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  const folder = join(home.folder, "changes");
  await mkdir(folder, { recursive: true });
  await writeFile(join(home.folder, "notes.model.json"), JSON.stringify(model(engine)));
  const { schema, ...changes } = sources[engine];
  await writeFile(join(home.folder, "notes.sql"), schema);
  for (const [name, text] of Object.entries({ ...changes, ...files }))
    if (text !== undefined) await writeFile(join(folder, name), text);
}
