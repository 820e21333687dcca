import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { sampleEmail as email, sampleRows, sampleStaff } from "../demo/rows.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { Model } from "../model/schema.ts";
import { configuredSite } from "../target.ts";
import type { Run } from "./run.ts";

/** What a demo of another site than MAWPS shows. */
export interface SiteDemo {
  /** How the commands in the demo's folder name the model. */
  readonly model: string;
  /** As somebody would type them; `first` makes what the rest works with. */
  readonly first: readonly (readonly string[])[];
  readonly steps: readonly (readonly string[])[];
  /** Of the database that the demo needs. */
  readonly engine: "mysql" | "postgres" | undefined;
}

/** The commands of the demo of a site by its model: what every such site has. */
export async function siteDemo({ config, world }: Run): Promise<SiteDemo> {
  const [{ fieldsToGive }, { shippedModels }] = await Promise.all([
    import("../model/document-files.ts"),
    import("../model/shipped.ts"),
  ]);
  const { model, site } = config;
  if (site.databases !== undefined) return databaseDemo(model, site);
  const { documents } = site.features ?? {};
  const given = documents === undefined ? [] : fieldsToGive(site, documents);
  const typed = documents?.fields.type === undefined ? [] : ["--type", "cv"];
  const named = Object.hasOwn(shippedModels, model) ? model : resolve(world.cwd, model);
  const steps = [
    ["model", "show"],
    [
      "doc",
      "upload",
      email,
      "Lebenslauf.pdf",
      ...typed,
      ...given.flatMap((field) => ["--field", `${field}=demo-1`]),
    ],
    ["doc", "list", email],
    ["doc", "get", email, "--all", "-o", "fetched"],
    ["model", "check", "--live"],
    ["retention", "plan"],
    ["audit", "verify"],
  ];
  return {
    model: named,
    first: [],
    steps: steps.map((step) => ["--model", named, ...step]),
    engine: undefined,
  };
}

/** @throws CliError (usage) for a model of whose tables nobody here knows what belongs in them. */
function databaseDemo(model: string, { databases = {} }: Model): SiteDemo {
  if (!Object.hasOwn(sampleRows, model)) {
    const hint = `mawps demo --model ${Object.keys(sampleRows).join(", or ")}`;
    throw new CliError(`the demo has no rows for the database of ${model}`, {
      exitCode: exitCodes.usage,
      hint,
    });
  }
  const engine = Object.values(databases)[0]?.engine;
  const documents = [
    ["doc", "upload", email, "Lebenslauf.pdf", "--by", sampleStaff],
    ["doc", "list", email],
  ];
  const steps = [
    ["user", "show", email],
    ...(model === "fc024" ? documents : []),
    ["backup", "create", ...(engine === "mysql" ? ["--with-secrets"] : [])],
    ["backup", "drill"],
    ["migrate", "down", "--yes"],
    ["migrate", "up", "--yes"],
    ["retention", "run", "--yes"],
    ["user", "erase", email, "--yes"],
    ["user", "erase", "verify", "receipt.json"],
    ["audit", "verify"],
  ];
  const named = (all: readonly (readonly string[])[]) => all.map((step) => ["--model", model, ...step]);
  return { model, first: named([["setup", "--yes"]]), steps: named(steps), engine };
}

/**
 * Puts what is of nobody into the demo's store or database, and the files that its commands take into its folder.
 * @returns how many rows of a database.
 */
export async function putSiteSamples(inside: Run, folder: string): Promise<number> {
  const [{ dynamodbStore }, { samplePdf }] = await Promise.all([
    import("../stores/dynamodb.ts"),
    import("../demo/samples.ts"),
  ]);
  await writeFile(join(folder, "Lebenslauf.pdf"), samplePdf());
  const { config, world } = inside;
  if (config.site.databases !== undefined) return putSampleRows(inside);
  const { accounts } = config.site.features ?? {};
  if (accounts === undefined) return 0;
  const { fields } = accounts;
  const values = {
    id: "user-123",
    email,
    name: "Max Mustermann",
    role: "user",
    isActive: true,
    createdAt: world.now().toISOString(),
  };
  const store = dynamodbStore({
    aws: await inside.aws("writes"),
    model: config.site,
    declaration: configuredSite(config),
    signal: world.signal,
  });
  await store.add(
    accounts.entity,
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) => {
        const field = fields[name as keyof typeof values];
        return field === undefined ? [] : [[field, value]];
      }),
    ),
  );
  return 0;
}

async function putSampleRows(run: Run): Promise<number> {
  const { config, world } = run;
  const [database] = await (await run.databases("writes")).openThere(() => true);
  let put = 0;
  for (const { table, rows } of sampleRows[config.model]?.(world.now()) ?? []) {
    const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, as: "text" as const }));
    await database?.sql.insert({ name: table, columns }, rows);
    put += rows.length;
  }
  return put;
}
