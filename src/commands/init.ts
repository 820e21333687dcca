import type { Command } from "@commander-js/extra-typings";
import type { Aws } from "../aws/clients.ts";
import { configFileName, writeConfigFile } from "../config/config-file.ts";
import { grouped, resolve as resolveConfig } from "../config/config.ts";
import { settings, type SettingKey } from "../config/settings.ts";
import { CliError } from "../errors.ts";
import type { AnyCommand, Begin } from "./command.ts";
import type { Run } from "./run.ts";

interface InitOptions {
  readonly name?: string;
  readonly protected?: true;
  readonly publicBucket?: string;
  readonly privateBucket?: string;
  readonly table?: string;
  readonly userPool?: string;
  readonly publicBaseUrl?: string;
}

/** What `init` settles, in the order in which it asks. */
type Answers = Partial<Record<SettingKey, string | boolean>>;

/** `mawps init`: asks, or takes flags, and writes `mawps.config.json` into the current folder. */
export function init(noun: Command, begin: Begin): void {
  noun
    .option("--name <name>", "what this environment is called, such as production")
    .option("--protected", "want that name typed before anything destructive")
    .option("--public-bucket <bucket>", "bucket of the hero images")
    .option("--private-bucket <bucket>", "bucket of the users' files")
    .option("--table <table>", "table of the profiles")
    .option("--user-pool <id>", "Cognito user pool")
    .option("--public-base-url <url>", "what stands in front of the public bucket, such as a CDN")
    .option("--overwrite", "replace a configuration file that is there")
    .addHelpText(
      "after",
      "\nExample:\n  mawps init --target aws --region eu-central-1 --name production --protected --yes",
    )
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const given = fromFlags(run, options);
      const answers = run.interactive && !run.config.yes ? await ask(run, given) : unasked(run, given);
      const values = nested(answers);
      const path = `${run.world.cwd}/${configFileName}`;
      // What the file would say is checked as a file before it becomes one.
      resolveConfig({}, {}, { path, values });
      if (!run.config.dryRun) await write(run, { path, values, replace: options.overwrite === true });
      await run.print({ path, written: !run.config.dryRun, values }, (result) =>
        [
          `${result.written ? "wrote" : "would write"} ${path}`,
          JSON.stringify(values, undefined, 2),
          answers.target === "aws" ? "next: `mawps doctor`" : "next: `mawps hero set <image>`",
        ].join("\n"),
      );
    });
}

/** What was said by flag or variable is the user's own word, in the file as well. */
async function write(
  run: Run,
  { path, values, replace }: { path: string; values: Record<string, unknown>; replace: boolean },
): Promise<void> {
  const text = await writeConfigFile(path, values, { replace });
  if (values["endpointUrl"] === undefined || run.sources.endpointUrl === run.file?.path) return;
  await (await import("../config/trust.ts")).trust(run.world, { path, text });
}

function fromFlags(run: Run, options: InitOptions): Answers {
  const flags: readonly (readonly [SettingKey, string | boolean | undefined])[] = [
    ...(["target", "profile", "region", "endpointUrl"] as const).map(
      (key) => [key, run.sources[key] === "default" ? undefined : run.config[key]] as const,
    ),
    ["name", options.name],
    ["protected", options.protected],
    ["publicBaseUrl", options.publicBaseUrl],
    ["buckets.publicMedia", options.publicBucket],
    ["buckets.userFiles", options.privateBucket],
    ["tables.userProfiles", options.table],
    ["userPoolId", options.userPool],
  ];
  return Object.fromEntries(flags.filter(([, value]) => value !== undefined));
}

/** Without a terminal nothing is guessed silently: the target must be said, or `--yes` takes the defaults. */
function unasked(run: Run, given: Answers): Answers {
  if (given.target === undefined && !run.config.yes) {
    throw new CliError("there is no terminal to ask where to work", {
      hint: "pass --target local or --target aws, and --help shows the other flags",
    });
  }
  return { target: "local", ...given };
}

async function ask(run: Run, given: Answers): Promise<Answers> {
  const { prompts } = run.world;
  const answers: Answers = { ...given };
  answers.target ??= await prompts.select("Where do you want to work?", [
    { value: "local", name: "local: an embedded store on this machine, to try things out" },
    { value: "aws", name: "aws: the real thing" },
  ]);
  if (answers.target === "local") return answers;

  const text = async (key: SettingKey, question: string, fallback?: string) => {
    if (answers[key] !== undefined) return;
    const check = (value: string) =>
      value === "" || fits(key, value) ? true : `expected ${settings[key].kind.expected}`;
    const answer = await prompts.input(question, { fallback, check });
    if (answer !== "") answers[key] = answer;
  };
  await text("profile", "AWS profile (empty: the SDK's default chain)");
  await text("region", "AWS region", settings.region.fallback);
  const found = await lookAround(run, answers);
  const choose = async (key: SettingKey, question: string, offered: readonly string[]) => {
    if (answers[key] !== undefined) return;
    const fallback = settings[key].fallback as string | undefined;
    if (offered.length > 0) {
      const choices = [...offered].sort(
        (one, other) => Number(other === fallback) - Number(one === fallback),
      );
      const answer = await prompts.select(question, [
        ...choices.map((name) => ({ value: name, name })),
        { value: "", name: "another name" },
      ]);
      if (answer !== "") {
        answers[key] = answer;
        return;
      }
    }
    await text(key, question, fallback);
  };
  await choose("buckets.publicMedia", "Public bucket (hero images)", found.buckets);
  const open = answers["buckets.publicMedia"] ?? settings["buckets.publicMedia"].fallback;
  const others = found.buckets.filter((bucket) => bucket !== open);
  await choose("buckets.userFiles", "Private bucket (documents)", others);
  await choose("tables.userProfiles", "Table of the profiles", found.tables);
  await choose("userPoolId", "Cognito user pool (empty: none)", found.userPools);
  await text("name", "What is this environment called? (such as production)");
  if (answers.name !== undefined && answers.protected === undefined) {
    answers.protected = await prompts.confirm("Is it production, to be protected?", true);
  }
  return answers;
}

function fits(key: SettingKey, value: string): boolean {
  return settings[key].kind.fromText(value) !== undefined;
}

interface Found {
  buckets: readonly string[];
  tables: readonly string[];
  userPools: readonly string[];
}

/** What there is on AWS, to choose from. What may not be listed is asked for by name instead. */
async function lookAround(run: Run, answers: Answers): Promise<Found> {
  const [{ connect }, { discover }] = await Promise.all([
    import("../aws/clients.ts"),
    import("../aws/discover.ts"),
  ]);
  await run.assertTrusted("reads");
  const said = (key: SettingKey) => (typeof answers[key] === "string" ? answers[key] : undefined);
  const aws: Aws = connect({
    region: said("region") ?? run.config.region,
    profile: said("profile"),
    endpointUrl: said("endpointUrl"),
  });
  const progress = await run.progress("looking at what there is on AWS");
  try {
    const found = await discover(aws);
    // Without credentials all of them fail for one reason.
    for (const why of new Set(found.failures.map((failure) => failure.why))) {
      const unlisted = found.failures.filter((failure) => failure.why === why).map(({ what }) => what);
      run.note(`could not list ${unlisted.join(", ")}: ${why}`);
    }
    return found;
  } finally {
    progress.stop();
    aws.close();
  }
}

/** As a file has them; what is the default anyway is left out. */
function nested(answers: Answers): Record<string, unknown> {
  const said = (Object.keys(settings) as SettingKey[]).filter(
    (key) => answers[key] !== undefined && (key === "target" || answers[key] !== settings[key].fallback),
  );
  return grouped(new Map(said.map((key) => [key, answers[key]])));
}
