import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestHome } from "./world.ts";

/** Who stands for the staff that has left. */
export const deskStandIn = "99";

const types = {
  mysql: { id: "char(36)", time: "datetime(3)", json: "json", counted: "int unsigned" },
  postgres: { id: "uuid", time: "timestamptz", json: "jsonb", counted: "int" },
};

/** The database of fc024 with people who are numbered, customers and staff each from one on, and have more that is theirs alone. */
function deskSql(engine: keyof typeof types): string {
  const { id, time, json, counted } = types[engine];
  const person = `id int PRIMARY KEY, name varchar(100) NOT NULL, email varchar(100),
    phone ${counted} NOT NULL UNIQUE, card varchar(12) NOT NULL UNIQUE, joined date NOT NULL UNIQUE`;
  return `
CREATE TABLE customers (${person}, CONSTRAINT of_customers CHECK (phone > 0));
CREATE TABLE users (${person});
INSERT INTO users (id, name, phone, card, joined) VALUES (${deskStandIn}, 'deleted', 0, '-', '1999-01-01');
CREATE TABLE opportunities (
  id ${id} PRIMARY KEY, customer_id int NOT NULL, name varchar(100) NOT NULL,
  FOREIGN KEY (customer_id) REFERENCES customers (id)
);
CREATE TABLE file_attachments (
  id ${id} PRIMARY KEY, file_name varchar(255) NOT NULL, s3_key varchar(500) NOT NULL UNIQUE, content_type varchar(100) NOT NULL,
  size_bytes bigint NOT NULL, status varchar(20) NOT NULL, scan_result varchar(20), customer_id int, opportunity_id ${id},
  uploaded_by int NOT NULL, uploaded_at ${time} NOT NULL, deleted_at ${time} NULL, tags ${json},
  FOREIGN KEY (customer_id) REFERENCES customers (id), FOREIGN KEY (opportunity_id) REFERENCES opportunities (id),
  FOREIGN KEY (uploaded_by) REFERENCES users (id)
);
`;
}

type Entities = Record<string, Record<string, unknown>>;

/** Writes the model and its SQL file into a home. @returns its path there. */
export async function writeDesk(home: TestHome, engine: keyof typeof types): Promise<string> {
  const path = join(import.meta.dirname, "../../models/fc024.json");
  const fc024 = JSON.parse(await readFile(path, "utf8")) as { entities: Entities };
  const { staff, customers, attachments } = fc024.entities;
  const links = (attachments?.["links"] ?? []) as Record<string, unknown>[];
  const desk = {
    ...fc024,
    name: "desk",
    databases: { crm: { engine, name: "desk", schema: "desk.sql" } },
    entities: {
      ...fc024.entities,
      staff,
      customers: {
        ...customers,
        links: [{ subject: "customer", role: "subject", by: "id", find: "key", erase: "pseudonym" }],
      },
      attachments: {
        ...attachments,
        links: links.map((link) =>
          link["subject"] === "staff" ? { ...link, erase: { set: deskStandIn } } : { ...link, find: "scan" },
        ),
      },
    },
  };
  await writeFile(join(home.folder, "desk.model.json"), JSON.stringify(desk));
  await writeFile(join(home.folder, "desk.sql"), deskSql(engine));
  return "./desk.model.json";
}
