import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve as resolvePath } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { resolve } from "../config/config.ts";
import { CliError } from "../errors.ts";
import { mawpsModel } from "../model/mawps.ts";
import type { AnyCommand, Begin, BuildTree } from "./command.ts";
import { worldWith, type World } from "../world.ts";
import { startRun, type Run } from "./run.ts";

/** `mawps demo`: the main job on a temporary local store, each command shown before it runs. */
export function demo(noun: Command, begin: Begin, build: BuildTree): void {
  noun
    .option("--keep <folder>", "leave its files and store in this new folder, to look at them afterwards")
    .addHelpText("after", "\nExamples:\n  mawps demo\n  mawps demo --keep demo\n  mawps demo --model fc024")
    .action(async ({ keep }, command) => {
      const run = await begin(command as AnyCommand);
      const folder = await demoFolder(run, keep);
      try {
        if (run.config.site !== mawpsModel) return await demoOfSite(run, { folder, keep, build });
        const progress = await run.progress("painting a photo");
        const [{ makePhoto }, { inspectImage }] = await Promise.all([
          import("../demo/photo.ts"),
          import("../images/inspect.ts"),
        ]);
        const photo = await makePhoto();
        await writeFile(join(folder, "photo.jpg"), photo);
        await writeFile(join(folder, "evening.jpg"), await makePhoto({ width: 2400, height: 1600, seed: 7 }));
        const [{ samplePdf }, { sampleProgress }, { sampleTwin }] = await Promise.all([
          import("../demo/samples.ts"),
          import("../site/progress/sample.ts"),
          import("../site/twin/sample.ts"),
        ]);
        await writeFile(join(folder, "Lebenslauf.pdf"), samplePdf());
        await writeFile(join(folder, "progress.json"), JSON.stringify(sampleProgress()));
        await writeFile(join(folder, "twin.json"), JSON.stringify(sampleTwin()));
        progress.stop();

        const steps: string[][] = [
          ["hero", "set", "photo.jpg"],
          ["hero", "set", "evening.jpg", "--hover", "photo.jpg", "--responsive"],
          ["hero", "list"],
          ["hero", "rollback"],
          ["doc", "upload", "user-123", "Lebenslauf.pdf", "--type", "cv", "--create-profile"],
          ["doc", "list", "user-123"],
          ["progress", "import", "user-123", "progress.json"],
          ["progress", "show", "user-123"],
          ["twin", "migrate", "twin.json"],
          ["twin", "show"],
          ["audit", "verify"],
        ];
        if (run.config.dryRun) {
          await run.print({ commands: steps.map((step) => step.join(" ")) }, ({ commands }) =>
            commands.map((each) => `$ mawps ${each}`).join("\n"),
          );
          return;
        }
        const world = inside(run, folder, { model: "mawps" });
        const { metadata, width, height } = await inspectImage(photo);
        world.stdout.write(`photo.jpg: ${width} x ${height}, carries ${carried(metadata)}\n`);
        await runAll(world, steps, build);
        const published = await inspectImage(await publishedPicture(world));
        world.stdout.write(`\nThe published picture, read back, carries ${carried(published.metadata)}.\n`);
        await run.print({ done: true, commands: steps.map((step) => step.join(" ")) }, () =>
          keep === undefined ? nextText(run.world) : keptText(run.world, folder),
        );
      } finally {
        if (keep === undefined || run.config.dryRun) await rm(folder, { recursive: true, force: true });
      }
    });
}

/** Runs commands one after the other, each shown before. */
async function runAll(world: World, steps: readonly (readonly string[])[], build: BuildTree): Promise<void> {
  for (const step of steps) {
    world.stdout.write(`\n$ mawps ${step.map(shellWord).join(" ")}\n`);
    const program = build(world);
    try {
      await program.run([...step]);
    } finally {
      await program.close();
    }
  }
}

/** The demo of another site: what its model says, on an account and a file of nobody's. */
async function demoOfSite(
  run: Run,
  {
    folder,
    keep,
    build,
  }: { readonly folder: string; readonly keep: string | undefined; readonly build: BuildTree },
): Promise<void> {
  const [{ putSiteSamples, siteDemo }, { resolveFor }] = await Promise.all([
    import("./demo-plan.ts"),
    import("../config/config.ts"),
  ]);
  const { model, first, steps, engine } = await siteDemo(run);
  const commands = [...first, ...steps].map((step) => step.map(shellWord).join(" "));
  if (run.config.dryRun) {
    await run.print({ commands }, () => commands.map((each) => `$ mawps ${each}`).join("\n"));
    return;
  }
  const server = engine === "mysql" ? await startServer(run) : undefined;
  try {
    const url = server?.url(model);
    const world = inside(run, folder, { model, ...(url === undefined ? {} : { MAWPS_DATABASE_URL: url }) });
    await runAll(world, first, build);
    const given = { flags: { quiet: true }, env: world.env, file: undefined };
    const within = startRun(world, resolveFor(run.config.site, given));
    try {
      const rows = await putSiteSamples(within, folder);
      if (rows > 0)
        world.stdout.write(`\n${rows.toLocaleString("en")} rows of nobody's are put into the database.\n`);
    } finally {
      await within.close();
    }
    await runAll(world, steps, build);
  } finally {
    await server?.close();
  }
  await run.print({ done: true, commands }, () =>
    keep === undefined
      ? "\nThat was a temporary store, and it is gone."
      : `${server === undefined ? "" : "\nIts database went with the server that was started for it.\n"}${keptText(run.world, folder, `MAWPS_MODEL=${shellWord(model)} `)}`,
  );
}

/** A server that nobody else reaches, since there is no embedded MySQL. @throws CliError where none is installed. */
async function startServer(run: Run): Promise<{ url(database: string): string; close(): Promise<void> }> {
  const { noMariadb, ownServerHint, startMariadb } = await import("../demo/mariadb.ts");
  if (noMariadb !== undefined) {
    throw new CliError(`this demo starts a MariaDB of its own, and ${noMariadb}`, { hint: ownServerHint });
  }
  const working = await run.progress("starting a MariaDB that ends with the demo");
  try {
    return await startMariadb(run.world.signal);
  } finally {
    working.stop();
  }
}

/** A folder of its own; a dry run makes none that stays. */
async function demoFolder({ world, config }: Run, keep: string | undefined): Promise<string> {
  if (keep === undefined || config.dryRun) return mkdtemp(join(tmpdir(), "mawps-demo-"));
  const folder = resolvePath(world.cwd, keep);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new CliError(`${folder} already exists; the demo wants a folder of its own`, { cause: error });
  }
  return folder;
}

function keptText({ command }: World, folder: string, model = ""): string {
  return `
Its links open in a browser while its store is served:

  MAWPS_HOME=${shellWord(join(folder, "store"))} ${model}${command} local serve`;
}

/** As a POSIX shell takes it for one word, whatever is in it. */
function shellWord(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function nextText({ command }: World): string {
  const rows = [
    [`${command} demo --keep demo`, "the same, and the links in it can be opened afterwards"],
    [`${command} hero set <photo>`, "your own photo, in a local store in this folder; no account needed"],
    [`${command} init`, "configure your AWS account"],
    [`${command} doctor`, "check it"],
    [`${command} --help`, "everything else"],
  ] as const;
  const width = Math.max(...rows.map(([typed]) => typed.length));
  const lines = rows.map(([typed, what]) => `  ${typed.padEnd(width)}  ${what}`);
  return ["", "That was a temporary store, and it is gone. What you can do now:", "", ...lines].join("\n");
}

/** The same world in the demo's folder, with its own store, deaf to the configuration around it. */
function inside(
  { world, config }: Run,
  folder: string,
  { model, ...env }: { readonly model: string; readonly MAWPS_DATABASE_URL?: string },
): World {
  const quiet = config.quiet || config.json ? { MAWPS_QUIET: "true" } : {};
  return worldWith(world, {
    cwd: folder,
    home: folder,
    env: {
      MAWPS_TARGET: "local",
      MAWPS_MODEL: model,
      MAWPS_HOME: join(folder, "store"),
      NO_COLOR: world.env["NO_COLOR"],
      ...env,
      ...quiet,
    },
    // With --json the result is one object of its own; what the commands print is for people.
    stdout: config.json ? world.stderr : world.stdout,
  });
}

/** The bytes that the public gets now. */
async function publishedPicture(world: World): Promise<Uint8Array> {
  const [{ readPointer }, { liveIn }, { heroKeyOf }, { getObjectBytes }] = await Promise.all([
    import("../site/hero/pointer.ts"),
    import("../site/hero/live.ts"),
    import("../site/hero/addresses.ts"),
    import("../aws/s3/objects.ts"),
  ]);
  const run: Run = startRun(world, resolve({ quiet: true }, world.env, undefined));
  try {
    const context = await run.context("reads");
    const { pointer } = await readPointer(context);
    const key = heroKeyOf(context, liveIn(pointer, "default")) ?? "";
    return (await getObjectBytes(context.aws, { bucket: context.buckets.publicMedia, key })).bytes;
  } finally {
    await run.close();
  }
}

function carried(metadata: readonly string[]): string {
  return metadata.length === 0 ? "no metadata" : metadata.join(", ");
}
