import { Command, Help, Option } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "./errors.ts";
import type { Model } from "./model/schema.ts";
import type { AnyCommand, Begin, BuildTree, CommandTree } from "./commands/command.ts";
import type { Run } from "./commands/run.ts";
import type { World } from "./world.ts";
import { layoutOf, type Layout } from "./output/layout.ts";
import { visibleLines } from "./output/text.ts";
import { suggestion } from "./suggestion.ts";
import { version } from "./version.ts";

interface Noun {
  readonly description: string;
  /** For the help of one that has verbs. */
  readonly examples?: readonly [string, string];
  /**
   * What the site must have for it, by its model: a feature of that name; `mawps` where it works on no other site; or what says why
   * it does not work on this one.
   */
  readonly needs?:
    | keyof NonNullable<Model["features"]>
    | "mawps"
    | (() => Promise<(site: Model, verb: string) => string | undefined>);
  /** Adds the verbs (or, where the noun is its own verb, its flags and action). Loaded when it is called. */
  load(): Promise<(noun: AnyCommand, begin: Begin, build: BuildTree) => void>;
}

const nouns: Readonly<Record<string, Noun>> = {
  hero: {
    description: "the picture on the home page",
    needs: "hero",
    examples: ["mawps hero set photo.jpg", "mawps hero show"],
    load: async () => (await import("./commands/hero/index.ts")).hero,
  },
  retention: {
    description: "what is due to be deleted, and deleting it",
    needs: async () => (await import("./model/reach.ts")).whyNoRetention,
    examples: ["mawps retention plan", "mawps retention run --dry-run"],
    load: async () => (await import("./commands/retention/index.ts")).retention,
  },
  backup: {
    description: "backups of tables, files and accounts, and what AWS keeps by itself",
    examples: ["mawps backup create", "mawps backup restore latest --dry-run"],
    load: async () => (await import("./commands/backup/index.ts")).backup,
  },
  migrate: {
    description: "versioned changes of what is stored: plan them, apply them, take them back",
    examples: ["mawps migrate status", "mawps migrate plan"],
    load: async () => (await import("./commands/migrate/index.ts")).migrate,
  },
  audit: {
    description: "who changed what, and the proof of it",
    examples: ["mawps audit list --since 7d", "mawps audit verify"],
    load: async () => (await import("./commands/audit/index.ts")).audit,
  },
  avatar: {
    description: "a user's own picture",
    needs: "avatar",
    examples: ["mawps avatar set user-123 portrait.jpg", "mawps avatar url user-123"],
    load: async () => (await import("./commands/avatar/index.ts")).avatar,
  },
  doc: {
    description: "users' documents: upload, download, links, requests, scan, check",
    needs: async () => (await import("./model/reach.ts")).whyNoDocuments,
    examples: ["mawps doc upload user-123 cv.pdf --type cv", "mawps doc list user-123"],
    load: async () => (await import("./commands/doc/index.ts")).doc,
  },
  twin: {
    description: "the owner's digital twin: from the browser into DynamoDB, and its versions",
    needs: "twin",
    examples: ["mawps twin migrate twin.json", "mawps twin show"],
    load: async () => (await import("./commands/twin/index.ts")).twin,
  },
  user: {
    description: "people: their accounts, groups and passwords, and what is stored of them",
    examples: ["mawps user list", "mawps user show max@example.com"],
    needs: async () => (await import("./model/reach.ts")).whyNoUsers,
    load: async () => (await import("./commands/user/index.ts")).user,
  },
  progress: {
    description: "how the users get on: one of them, all of them, and what a browser still holds",
    needs: "progress",
    examples: ["mawps progress show user-123", "mawps progress stats"],
    load: async () => (await import("./commands/progress/index.ts")).progress,
  },
  storage: {
    description: "how much is stored, and what that costs",
    examples: ["mawps storage usage --by user --top 10", "mawps storage cost"],
    load: async () => (await import("./commands/storage/index.ts")).storage,
  },
  report: {
    description:
      "one page for the owner: what is live, who is how far, what it costs, what is due, what went wrong",
    load: async () => (await import("./commands/report.ts")).report,
  },
  access: {
    description: "who may do what: policies for roles from the model, and who is let in as it stands",
    examples: ["mawps access policy ci-backup", "mawps access check"],
    load: async () => (await import("./commands/access/index.ts")).access,
  },
  model: {
    description: "what the site stores, whose it is and how long it stays: show it, check it",
    examples: ["mawps model show", "mawps model check --live"],
    load: async () => (await import("./commands/model/index.ts")).model,
  },
  setup: {
    description: "make the buckets and tables that are missing",
    load: async () => (await import("./commands/setup.ts")).setup,
  },
  doctor: {
    description: "check credentials, buckets, tables and this machine",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  init: {
    description: "write a configuration file",
    needs: "mawps",
    load: async () => (await import("./commands/init.ts")).init,
  },
  config: {
    description: "show the settings and where each comes from",
    examples: ["mawps config show", "mawps config trust"],
    load: async () => (await import("./commands/config.ts")).config,
  },
  local: {
    description: "the embedded local store: where it is, serve it, empty it",
    examples: ["mawps local serve", "mawps local path"],
    load: async () => (await import("./commands/local.ts")).local,
  },
  demo: {
    description: "see the main job done in a temporary local store",
    needs: async () => (await import("./model/reach.ts")).whyNoDemo,
    load: async () => (await import("./commands/demo.ts")).demo,
  },
  completion: {
    description: "print a completion script for bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
};

/** What is known of how the user wants to be told, even when the configuration could not be resolved. */
export interface Voice {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly profile: string | undefined;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
  /** How errors are shown. */
  readonly layout: Layout;
  /** Whether the command was about to change something, or did. */
  readonly changing: boolean;
}

export interface Program extends CommandTree {
  voice(): Voice;
}

/** The commander tree. The verbs of a noun are loaded when the noun is called, and only then. */
export function buildProgram(world: World): Program {
  const started: Run[] = [];
  let failure: unknown;
  const loaded = new Set<AnyCommand>();

  const root = new Command("mawps")
    .description("Look after the storage of a professional-services website on AWS.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .addOption(new Option("--target <target>", "where to work").choices(["local", "aws"] as const))
    .option("--profile <name>", "AWS profile")
    .option("--region <region>", "AWS region")
    .option("--endpoint-url <url>", "a server in place of AWS")
    .option("--config <file>", "configuration file")
    .option("--model <name|file>", "what the site stores: a shipped model, or a file")
    .option("--json", "print the result as JSON")
    .option("-y, --yes", "go on without asking")
    .option("--confirm <name>", "name of a protected environment, instead of typing it")
    .option("--dry-run", "show what would be done, change nothing")
    .option("-q, --quiet", "no notes and no progress")
    .option("-v, --verbose", "more detail in errors")
    .option("--wide", "shorten nothing in tables, however narrow the terminal")
    .option("--no-color", "no colours")
    .configureHelp({
      showGlobalOptions: true,
      minWidthToWrap: 20,
      optionDescription,
      formatHelp,
      subcommandTerm,
      commandUsage,
    })
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      // `main` tells of errors, as of any other.
      outputError: () => undefined,
      writeErr(text) {
        if (!voice().json) world.stderr.write(visibleLines(text));
      },
      getOutHelpWidth: () => world.stdout.columns ?? 80,
      getErrHelpWidth: () => world.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .showSuggestionAfterError();

  const begin: Begin = async (command) => {
    const { color, ...flags } = command.optsWithGlobals() as Record<string, unknown>;
    const blank = written.find((name) => typeof flags[name] === "string" && flags[name].trim() === "");
    if (blank !== undefined)
      throw new CliError(`--${blank} is empty`, {
        exitCode: exitCodes.usage,
        hint: "give it the name of a file or folder",
      });
    const unnamed = written.find((name) => flags[name] === "-");
    if (unnamed !== undefined)
      throw new CliError(`--${unnamed} - is no name`, {
        exitCode: exitCodes.usage,
        hint: "name what is to be written (./- is called -); what goes to standard output goes there without the option",
      });
    // Help and version are shown without any of these.
    const [{ findConfigFile }, { modelSetting, resolveFor }, { loadModel }, { startRun }] = await Promise.all(
      [
        import("./config/config-file.ts"),
        import("./config/config.ts"),
        import("./config/model-file.ts"),
        import("./commands/run.ts"),
      ],
    );
    const file = await findConfigFile(world, flags["config"] as string | undefined);
    const given = { flags: color === false ? { ...flags, noColor: true } : flags, env: world.env, file };
    const model = modelSetting(given);
    const site = await loadModel(world, model);
    if (model.value !== "mawps") await refuseOtherSites(command, site);
    const run = startRun(world, resolveFor(site, given), { file, command: wordsOf(command).join(" ") });
    started.push(run);
    for (const [was, now] of saidEarlier) run.warn(`${was} is called ${now} now`);
    return run;
  };

  /** Before anything is opened: what another site does not have is never looked for under MAWPS's names. */
  const refuseOtherSites = async (command: AnyCommand, site: Model) => {
    const [noun = "", verb = noun] = wordsOf(command);
    const needs = nouns[noun]?.needs;
    if (needs === undefined) return;
    const isNever = typeof needs === "string" && needs !== "mawps" && site.features?.[needs] === undefined;
    const why =
      typeof needs === "function"
        ? (await needs())(site, verb)
        : isNever
          ? `its model has no "${needs}"`
          : "it works on MAWPS's own model only";
    if (why === undefined) return;
    const typed = [...new Set([noun, verb])].join(" ");
    throw new CliError(`mawps ${typed} is not for ${site.name}: ${why}`, {
      exitCode: exitCodes.usage,
      hint: 'what the site stores: `mawps model show`; the setting "model" chooses another',
    });
  };

  /** Noun and verbs, such as `backup create`. */
  const wordsOf = (command: AnyCommand): string[] => {
    const { parent } = command as { readonly parent: AnyCommand | null };
    return command === root || parent === null ? [] : [...wordsOf(parent), command.name()];
  };

  /** Commander tells of one at a time. */
  const tellAllMissing = (command: AnyCommand) => {
    for (const verb of command.commands as AnyCommand[]) tellAllMissing(verb);
    const tell = () => {
      const { options, registeredArguments, args } = command;
      const missing = [
        ...registeredArguments.flatMap((argument, at) =>
          argument.required && args[at] === undefined ? [`<${argument.name()}>`] : [],
        ),
        ...(options as Option[]).flatMap((option) =>
          option.mandatory && command.getOptionValue(option.attributeName()) === undefined
            ? [option.flags]
            : [],
        ),
      ];
      const help = ["mawps", ...wordsOf(command), "--help"].join(" ");
      command.error(`error: missing: ${missing.join(", ")}\n(\`${help}\` shows what it takes)`, {
        code: "commander.missingArgument",
      });
    };
    Object.assign(command, { missingArgument: tell, missingMandatoryOptionValue: tell });
  };

  const loadNoun = async (noun: AnyCommand) => {
    if (loaded.has(noun)) return;
    loaded.add(noun);
    (await nouns[noun.name()]?.load())?.(noun, begin, buildProgram);
    inheritSettings(noun);
    tellAllMissing(noun);
    addOtherWords(noun);
    addEarlierOptions(noun, noun.name());
    const examples = nouns[noun.name()]?.examples;
    if (examples !== undefined) noun.addHelpText("after", `\nExamples:\n  ${examples.join("\n  ")}`);
  };

  /** Of this call, with what they are called now. */
  const saidEarlier: (readonly [was: string, now: string])[] = [];

  const addEarlierOptions = (command: AnyCommand, path: string) => {
    for (const verb of command.commands as AnyCommand[]) addEarlierOptions(verb, `${path} ${verb.name()}`);
    const [flags, now] = earlierOptions[path] ?? [];
    const option = (command.options as Option[]).find(({ long }) => long === now);
    if (flags === undefined || option === undefined) return;
    const earlier = new Option(flags).hideHelp();
    command.addOption(earlier);
    command.on(`option:${earlier.name()}`, (value: unknown) => {
      saidEarlier.push([`--${earlier.name()}`, `--${option.name()}`]);
      command.setOptionValueWithSource(option.attributeName(), value ?? true, "cli");
    });
  };

  for (const [name, { description }] of Object.entries(nouns)) {
    root.command(name).description(description).copyInheritedSettings(root);
  }
  root.hook("preSubcommand", (_root, noun) => loadNoun(noun));

  function voice(): Voice {
    const given = root.opts();
    const json = given.json ?? /^(1|true|yes|on)$/i.test(world.env["MAWPS_JSON"] ?? "");
    return {
      json,
      verbose: given.verbose ?? /^(1|true|yes|on)$/i.test(world.env["MAWPS_VERBOSE"] ?? ""),
      profile: started[0]?.config.profile ?? given.profile,
      region: started[0]?.config.region ?? given.region,
      endpointUrl: started[0]?.config.endpointUrl ?? given.endpointUrl,
      layout: layoutOf(world.stderr, {
        wide:
          started[0]?.config.wide ?? given.wide ?? /^(1|true|yes|on)$/i.test(world.env["MAWPS_WIDE"] ?? ""),
        noColor:
          started[0]?.config.noColor ??
          (!given.color || Boolean(world.env["NO_COLOR"]) || Boolean(world.env["MAWPS_NO_COLOR"])),
        term: world.env["TERM"],
      }),
      changing: started.some(({ changing }) => changing),
    };
  }

  return {
    async run(argv) {
      try {
        await root.parseAsync(plain(argv), { from: "user" });
      } catch (error) {
        failure = error;
        throw error;
      }
    },
    async tree() {
      for (const noun of root.commands) await loadNoun(noun);
      return root as AnyCommand;
    },
    voice,
    async close() {
      for (const run of started) await run.close(failure);
    },
  };
}

/** Commander's own text says nothing of flags that must be given. */
function optionDescription(option: Option): string {
  const text = new Help().optionDescription(option);
  return option.mandatory ? `${text} (required)` : text;
}

/** What is to be chosen first, and the options of every command last. */
function formatHelp(command: AnyCommand, helper: Help): string {
  const parts = Help.prototype.formatHelp
    .call(helper, command, helper)
    .trimEnd()
    .split(/\n\n(?=[A-Z][\w ]*:\n)/);
  const isAbout = (title: string) => (part: string) => part.startsWith(`${title}:\n`);
  const first = parts.filter(isAbout("Commands"));
  const last = parts.filter(isAbout("Global Options"));
  const between = parts.slice(1).filter((part) => !first.includes(part) && !last.includes(part));
  return `${[...parts.slice(0, 1), ...first, ...between, ...last].join("\n\n")}\n`;
}

/** The words of other tools that work as well are not shown. */
function subcommandTerm(command: AnyCommand): string {
  return withoutAlias(new Help().subcommandTerm(command), command);
}

function commandUsage(command: AnyCommand): string {
  return withoutAlias(new Help().commandUsage(command), command);
}

function withoutAlias(text: string, command: AnyCommand): string {
  return text.replace(`${command.name()}|${command.alias()}`, command.name());
}

/** Verbs by the words that other tools have for them. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  list: ["ls"],
  get: ["download"],
  rm: ["delete", "remove"],
};

/** The other words for a noun's verbs, and what is said of one that is none. */
function addOtherWords(noun: AnyCommand): void {
  const verbs = noun.commands.map((verb: AnyCommand) => verb.name());
  if (verbs.length === 0) return;
  for (const verb of noun.commands as AnyCommand[]) {
    verb.aliases((aliases[verb.name()] ?? []).filter((word) => !verbs.includes(word)));
    addOtherWords(verb);
  }
  noun.on("command:*", ([word = ""]: string[]) => {
    const meant = suggestion(word, verbs);
    const hint = meant === undefined ? `there are: ${verbs.join(", ")}` : `Did you mean ${meant}?`;
    noun.error(`error: unknown command '${word}'\n(${hint})`, {
      exitCode: 1,
      code: "commander.unknownCommand",
    });
  });
}

/** Options whose value is the name of a file or folder that a command makes. */
const written = ["output", "html", "keep", "receipt", "failed"] as const;

/** Options under the names that they had before, which work as well and are not shown. */
const earlierOptions: Readonly<Record<string, readonly [was: string, now: string]>> = {
  "backup restore": ["--retry <file>", "--resume-from"],
  "doc get": ["--out <folder>", "--output"],
  init: ["--force", "--overwrite"],
  "retention plan": ["--out <file>", "--output"],
  "user erase": ["--out <file>", "--output"],
};

/**
 * `version` is the flag. No words at all ask for help, and so does `help hero set`: commander's own `help` looks one word deep, at a noun whose
 * verbs are not loaded yet.
 */
function plain(argv: readonly string[]): readonly string[] {
  if (argv.length === 0) return ["--help"];
  const [first, ...rest] = argv;
  if (first === "version" && rest.length === 0) return ["--version"];
  if (first !== "help") return argv;
  return rest[0] !== undefined && Object.hasOwn(nouns, rest[0]) ? [...rest, "--help"] : plain(rest);
}

/** Verbs made with `new Command` do not inherit what `.command(name)` would have given them. */
function inheritSettings(parent: AnyCommand): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    inheritSettings(child);
  }
}
