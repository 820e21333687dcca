import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { configuredSite } from "../target.ts";
import type { Run } from "./run.ts";

/** What a demo of another site than MAWPS shows. */
export interface SiteDemo {
  /** How the commands in the demo's folder name the model. */
  readonly model: string;
  /** As somebody would type them. */
  readonly steps: readonly (readonly string[])[];
}

const email = "max@example.com";

/** The commands of the demo of a site by its model: what every such site has. */
export async function siteDemo({ config, world }: Run): Promise<SiteDemo> {
  const [{ fieldsToGive }, { shippedModels }] = await Promise.all([
    import("../model/document-files.ts"),
    import("../model/shipped.ts"),
  ]);
  const { model, site } = config;
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
  return { model: named, steps: steps.map((step) => ["--model", named, ...step]) };
}

/** Puts an account of nobody's into the demo's store, and the files that its commands take into its folder. */
export async function putSiteSamples(inside: Run, folder: string): Promise<void> {
  const [{ dynamodbStore }, { samplePdf }] = await Promise.all([
    import("../stores/dynamodb.ts"),
    import("../demo/samples.ts"),
  ]);
  await writeFile(join(folder, "Lebenslauf.pdf"), samplePdf());
  const { config, world } = inside;
  const { accounts } = config.site.features ?? {};
  if (accounts === undefined) return;
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
}
