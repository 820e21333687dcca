import { settingsOf } from "../../src/config/settings.ts";
import { exitCodes } from "../../src/errors.ts";
import type { AnyCommand } from "../../src/commands/command.ts";
import { mawpsModel } from "../../src/model/mawps.ts";
import { version } from "../../src/version.ts";

// What docs/commands.md, docs/settings.md and the man page say, from the command tree and the table of settings.

/** What a process ends with, and why. */
const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [0, "done"],
  [exitCodes.failed, "failed, or declined"],
  [exitCodes.usage, "wrong usage or configuration"],
  [exitCodes.partial, "done in part; each failure is listed"],
  [exitCodes.findings, "a check found problems"],
  [exitCodes.due, "something is due (only with `--exit-code`)"],
  [130, "interrupted; the same command again goes on"],
];

/** A verb, or a noun that is its own verb, with what its help says. */
interface Verb {
  readonly path: string;
  readonly usage: string;
  readonly description: string;
  readonly parameters: readonly (readonly [string, string])[];
  readonly examples: string;
}

function verbsOf(noun: AnyCommand, above = "mawps"): Verb[] {
  const path = `${above} ${noun.name()}`;
  const below = noun.commands.filter((each) => each.name() !== "help");
  if (below.length > 0) return below.flatMap((each) => verbsOf(each, path));
  const help = noun.createHelp();
  const options = help
    .visibleOptions(noun)
    .filter(({ long }) => long !== "--help")
    .map((option) => [option.flags, help.optionDescription(option)] as const);
  const terms = help
    .visibleArguments(noun)
    .map((each) => [help.argumentTerm(each), help.argumentDescription(each)] as const);
  const words = noun.registeredArguments.map((each) => {
    const name = each.variadic ? `${each.name()}...` : each.name();
    return each.required ? `<${name}>` : `[${name}]`;
  });
  return [
    {
      path,
      usage: [path, ...words].join(" "),
      description: noun.description(),
      parameters: [...terms, ...options],
      examples: examplesOf(noun),
    },
  ];
}

/** The lines below "Example(s):" in a command's help. */
function examplesOf(command: AnyCommand): string {
  let shown = "";
  const output = command.configureOutput();
  command.configureOutput({ ...output, writeOut: (text) => void (shown += text) });
  command.outputHelp();
  command.configureOutput(output);
  const [, examples = ""] = shown.split(/\nExamples?:\n/);
  return examples.trimEnd();
}

const made = (by: string) => `<!-- Made from ${by} by \`npm run reference\`; edits are lost. -->\n`;
/** A cell of a table: `|` ends one even within code, and `<` outside of code begins a tag. */
const cell = (text: string) =>
  text
    .replaceAll("|", String.raw`\|`)
    .replaceAll("\n", " ")
    .replaceAll(/`[^`]*`|</g, (part) => (part === "<" ? "&lt;" : part));
const table = (rows: readonly (readonly string[])[]) =>
  rows.map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

/** docs/commands.md. */
export function commandsPage(root: AnyCommand): string {
  const nouns = root.commands.filter((each) => each.name() !== "help");
  const overview = nouns.map((noun) => [
    `[\`${noun.name()}\`](#${noun.name()})`,
    noun.description(),
    verbsOf(noun)
      .map(({ path }) => path.split(" ").slice(2).join(" "))
      .filter((path) => path !== "")
      .map((path) => `\`${path}\``)
      .join(" · "),
  ]);
  const sections = nouns.map((noun) => `## ${noun.name()}\n\n${verbsOf(noun).map(verbSection).join("\n")}`);
  return [
    made("the command tree"),
    "# Commands\n",
    "Every command takes the [global flags](settings.md) as well; `--help` behind any of them says what is here.\n",
    table([["noun", "what it is about", "verbs"], ["---", "---", "---"], ...overview]),
    "",
    ...sections,
    "## Exit codes\n",
    table([["code", "meaning"], ["---", "---"], ...exitCodeMeanings.map(([code, why]) => [`${code}`, why])]),
    "",
  ].join("\n");
}

function verbSection({ usage, description, parameters, examples }: Verb): string {
  const rows = parameters.map(([term, text]) => [`\`${term}\``, text]);
  const flags = rows.length === 0 ? "" : `\n${table([["", ""], ["---", "---"], ...rows])}\n`;
  const shown = examples === "" ? "" : `\n\`\`\`text\n${examples.replaceAll(/^ {2}/gm, "")}\n\`\`\`\n`;
  return `### \`${usage}\`\n\n${sentence(description)}\n${flags}${shown}`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

interface SettingRow {
  readonly key: string;
  readonly flag: string;
  readonly variables: readonly string[];
  readonly fallback: string;
  readonly about: string;
  readonly inFile: boolean;
}

function settingRows(root: AnyCommand): SettingRow[] {
  return Object.entries(settingsOf(mawpsModel)).map(([key, { env, flag, inFile, fallback, about }]) => {
    const option = root.options.find(
      (each) => each.attributeName() === (flag === "noColor" ? "color" : flag),
    );
    return {
      key,
      flag: option?.flags ?? "",
      variables: env,
      fallback: fallback === undefined || fallback === false ? "" : defaultText(fallback),
      about,
      inFile,
    };
  });
}

/** Defaults are texts, numbers, flags, and lists of texts. */
function defaultText(fallback: unknown): string {
  return typeof fallback === "string" ? fallback : JSON.stringify(fallback).replaceAll(/[[\]{}"]/g, "");
}

/** docs/settings.md. */
export function settingsPage(root: AnyCommand): string {
  const code = (text: string) => (text === "" ? "" : `\`${text}\``);
  const rows = settingRows(root).map(({ key, flag, variables, fallback, about, inFile }) => [
    inFile ? code(key) : "",
    code(flag),
    variables.map(code).join(", "),
    code(fallback),
    about,
  ]);
  return [
    made("the table of settings"),
    "# Settings\n",
    "A flag wins over a variable, a variable over the file, the file over the default. `mawps config show` tells for each setting",
    "where its value comes from. The file is `mawps.config.json`, upwards from the current folder, else in `~/.config/mawps/`, or",
    'what `--config` or `MAWPS_CONFIG` names; a key with a dot stands in an object: `{ "buckets": { "userFiles": "…" } }`.',
    "Unless one of them says `aws`, nothing touches AWS.\n",
    table([
      ["key in the file", "flag", "variable", "default", "what it is"],
      ["---", "---", "---", "---", "---"],
      ...rows,
    ]),
    "",
  ].join("\n");
}

const roff = (text: string) =>
  text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replaceAll(/^([.'])/gm, String.raw`\&$1`)
    .replaceAll(/`([^`]*)`/g, String.raw`\fB$1\fR`);

/** man/mawps.1. */
export function manPage(root: AnyCommand): string {
  const tagged = (term: string, text: string) => `.TP\n.B ${roff(term)}\n${roff(text)}`;
  const verbs = root.commands.filter((each) => each.name() !== "help").flatMap((each) => verbsOf(each));
  const help = root.createHelp();
  const examples = verbs
    .flatMap((verb) => verb.examples.split("\n").slice(0, 1))
    .filter((line) => line !== "");
  return [
    String.raw`.\" Made from the command tree by "npm run reference"; edits are lost.`,
    `.TH MAWPS 1 "" "mawps ${version}" "User Commands"`,
    ".SH NAME",
    roff(`mawps - ${root.description().replace(/\.$/, "")}`),
    ".SH SYNOPSIS",
    ".B mawps",
    ".I noun verb",
    "[\\fIarguments\\fR] [\\fIflags\\fR]",
    ".SH DESCRIPTION",
    roff(
      "Works on the embedded local store until a flag, a variable or a configuration file says `aws`. The result goes to standard output, notes and errors to standard error. Questions are asked on a terminal only.",
    ),
    ".SH COMMANDS",
    ...verbs.map(({ usage, description }) => tagged(usage, sentence(description))),
    ".SH GLOBAL FLAGS",
    ...help
      .visibleOptions(root)
      .map((option) => tagged(option.flags, sentence(help.optionDescription(option)))),
    ".SH ENVIRONMENT",
    ...settingRows(root).map(({ variables, about }) => tagged(variables.join(", "), sentence(about))),
    ".SH FILES",
    tagged("mawps.config.json", "Settings, upwards from the current folder."),
    tagged("~/.config/mawps/mawps.config.json", "Settings, where none is found there."),
    tagged(".mawps/", "The embedded local store."),
    ".SH EXIT STATUS",
    ...exitCodeMeanings.map(([code, meaning]) => tagged(String(code), sentence(meaning))),
    ".SH EXAMPLES",
    ...examples.map((line) => `.PP\n.EX\n${roff(line.trim())}\n.EE`),
    ".SH SEE ALSO",
    roff("aws(1)"),
    "",
  ].join("\n");
}
