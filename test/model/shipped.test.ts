import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readModel } from "../../src/model/read.ts";
import type { Model } from "../../src/model/schema.ts";
import { shippedModels } from "../../src/model/shipped.ts";

const folder = join(import.meta.dirname, "../../models");
const names = Object.keys(shippedModels);

describe("the models that travel with the program", () => {
  it("are all that lie in the folder", async () => {
    const files = (await readdir(folder)).filter((name) => /^(?!model\.schema).*\.json$/.test(name));
    expect(files.map((name) => name.replace(/\.json$/, "")).sort()).toEqual([...names].sort());
  });

  it.each(names)("%s is read without a fault, and is what is loaded", async (name) => {
    const text = await readFile(join(folder, `${name}.json`), "utf8");
    expect(readModel(text)).toEqual({ model: await shippedModels[name]?.() });
  });

  it.each(["lopez", "fc024"])(
    "%s names tables, columns and indexes that its SQL file makes",
    async (name) => {
      const model = await shippedModels[name]?.();
      const missing = await missingInSql(model);
      expect(missing).toEqual([]);
    },
  );
});

/** Names of a model that its SQL files do not have. */
async function missingInSql(model: Model | undefined): Promise<string[]> {
  const missing: string[] = [];
  let looked = 0;
  for (const [role, { schema }] of Object.entries(model?.databases ?? {})) {
    const sql = (await readFile(join(folder, schema), "utf8")).replaceAll("`", "");
    for (const { from, fields = {}, links = [] } of Object.values(model?.entities ?? {})) {
      if (!("database" in from) || from.database !== role) continue;
      looked += 1;
      const body = new RegExp(`CREATE TABLE (?:IF NOT EXISTS )?${from.table} \\(([^;]*)\\)[^;]*;`).exec(
        sql,
      )?.[1];
      const columns = Object.keys(fields).filter(
        (column) => !new RegExp(`(^|[\\s(])${column} \\w`).test(body ?? ""),
      );
      const indexes = links
        .flatMap(({ find }) => (typeof find === "object" ? find.index : []))
        .filter((index) => !new RegExp(`\\b${index}\\b`).test(sql));
      missing.push(...[...columns, ...indexes].map((each) => `${from.table}: ${each}`));
    }
  }
  if (looked === 0) missing.push("no entity of a database");
  return missing;
}
