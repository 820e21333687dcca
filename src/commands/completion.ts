import { Argument, type Command } from "@commander-js/extra-typings";
import { completionScript, type AtHand, type CompletionNode } from "../output/completion.ts";
import type { AnyCommand, Begin, BuildTree } from "./command.ts";

/** `mawps completion bash|zsh|fish`: the script on stdout. */
export function completion(noun: Command, begin: Begin, build: BuildTree): void {
  noun
    .addArgument(new Argument("<shell>", "your shell").choices(["bash", "zsh", "fish"] as const))
    .addHelpText(
      "after",
      "\nExamples:\n  source <(mawps completion bash)\n  mawps completion fish > ~/.config/fish/completions/mawps.fish",
    )
    .action(async (shell, _options, command) => {
      const run = await begin(command as AnyCommand);
      const script = completionScript(shell, node(await build(run.world).tree()));
      await run.printCode({ shell, script }, (result) => result.script);
    });
}

function node(command: AnyCommand): CompletionNode {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    options: help
      .visibleOptions(command)
      .map(({ short, long, description, flags, argChoices, required, optional }) => ({
        flags: [short, long].filter((flag): flag is string => flag !== undefined),
        description,
        value:
          required || optional
            ? {
                choices: argChoices ?? [],
                isFile: namesFile(flags),
                atHand: long === "--profile" ? ["profiles"] : [],
              }
            : undefined,
      })),
    operands: {
      choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      isFile: command.registeredArguments.some((argument) => namesFile(`<${argument.name()}>`)),
      atHand: atHandFor(command),
    },
    children: command.commands.map((child: AnyCommand) => node(child)),
  };
}

/** What the operands are of: by the names that help shows. An id is of a document where documents are the noun. */
function atHandFor(command: AnyCommand): AtHand[] {
  const names = new Set(command.registeredArguments.map((argument) => argument.name()));
  const isOfDocuments = command.parent?.name() === "doc";
  return [
    ...(names.has("snapshot") ? (["snapshots"] as const) : []),
    ...(names.has("user") ? (["users"] as const) : []),
    ...(names.has("id") && isOfDocuments ? (["documents"] as const) : []),
  ];
}

/** Whether what is asked for is a file, by the name that help shows: `--hover <image>`. */
function namesFile(usage: string): boolean {
  return /[<[](image|file|folder|path|place|plan)\b/.test(usage);
}
