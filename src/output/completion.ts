import { join } from "node:path";

/** One word of the command line as a completion script needs to know it. */
export interface CompletionNode {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletionOption[];
  /** What may stand after it: words to choose from, files, or what nobody can know. */
  readonly operands: CompletionValue;
  readonly children: readonly CompletionNode[];
}

export interface CompletionValue {
  readonly choices: readonly string[];
  readonly isFile: boolean;
  /**
   * What the shell itself finds on this machine, in a moment: profiles of the AWS configuration, backups of the local store, users and
   * documents that were listed last.
   */
  readonly atHand: readonly AtHand[];
}

export type AtHand = "profiles" | "snapshots" | "users" | "documents";

/** Where the ids that a list showed last are kept, `user ID` or `document ID` a line, in the user's cache. */
export function shownFile(home: string, env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CACHE_HOME: cache } = env;
  return join(cache === undefined || cache === "" ? join(home, ".cache") : cache, "mawps", "shown");
}

/** Without the variable its path is one that is not there. */
const shownLines = (kind: string) =>
  String.raw`cat "$XDG_CACHE_HOME"/mawps/shown ~/.cache/mawps/shown 2>/dev/null | sed -n 's/^${kind} \([A-Za-z0-9_][A-Za-z0-9_.@+-]*\)$/\1/p'`;

/**
 * Shell commands that print them, one a line. Only plain names: a shell expands what it is offered, and a folder may come from
 * somebody else.
 */
const atHandCommands: Readonly<Record<AtHand, string>> = {
  profiles: String.raw`cat ~/.aws/config ~/.aws/credentials 2>/dev/null | sed -n 's/^\[\(profile  *\)\{0,1\}\([A-Za-z0-9._@+-][A-Za-z0-9._@+-]*\)\]$/\2/p'`,
  users: shownLines("user"),
  documents: shownLines("document"),
  snapshots: String.raw`echo latest; ls .mawps/backups/snapshots 2>/dev/null | grep -E '^[0-9A-Za-z-]+$'`,
};

export interface CompletionOption {
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined for a switch. */
  readonly value: CompletionValue | undefined;
}

export type Shell = "bash" | "zsh" | "fish";

/** The completion script of a shell for the whole tree. Static: completing never starts the program. */
export function completionScript(shell: Shell, root: CompletionNode): string {
  switch (shell) {
    case "bash":
      return bash(root);
    case "zsh":
      return zsh(root);
    case "fish":
      return fish(root);
  }
}

function flagsOf(node: CompletionNode): string[] {
  return node.options.flatMap(({ flags }) => flags);
}

/** Verbs and choices: what is offered where no flag was begun. */
function wordsOf({ children, operands }: CompletionNode): string[] {
  return [...children.map(({ name }) => name), ...operands.choices];
}

/** Every node with the words that lead to it: `hero set` and its node. */
function paths(
  node: CompletionNode,
  before: readonly string[] = [],
): { path: string; node: CompletionNode }[] {
  return [
    { path: before.join(" "), node },
    ...node.children.flatMap((child) => paths(child, [...before, child.name])),
  ];
}

/** The options of the whole tree that take a value. */
function valued(root: CompletionNode): { flags: readonly string[]; value: CompletionValue }[] {
  const all = paths(root).flatMap(({ node }) => node.options);
  return all.flatMap(({ flags, value }) => (value === undefined ? [] : [{ flags, value }]));
}

function bash(root: CompletionNode): string {
  const values = valued(root).map(({ flags, value: { choices, isFile, atHand } }) => {
    const words = [...choices, ...atHand.map((kind) => `$(${atHandCommands[kind]})`)].join(" ");
    const offered = isFile ? "_mawps_files" : `COMPREPLY=($(compgen -W "${words}" -- "$current"))`;
    return `    ${flags.join("|")}) ${offered}; return ;;`;
  });
  const all = paths(root);
  const nodes = all.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const cases = all.map(({ path, node }) => {
    const flags = path === "" ? [] : flagsOf(node);
    const files = node.operands.isFile ? " files=yes" : "";
    const found = node.operands.atHand.map((kind) => ` $(${atHandCommands[kind]})`).join("");
    return `    "${path}") words="${wordsOf(node).join(" ")}${found}" flags="${flags.join(" ")}"${files} ;;`;
  });
  return `# mawps completion for bash: source <(mawps completion bash)
_mawps_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\\n'
  COMPREPLY+=($(compgen -f -- "$current"))
}
_mawps() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" word words="" flags="" files=""
  COMPREPLY=()
  case "$previous" in
${values.join("\n")}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${nodes.join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags ${flagsOf(root).join(" ")}" -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ -z "$files" ]] || _mawps_files
}
complete -F _mawps mawps
`;
}

function zsh(root: CompletionNode): string {
  const quote = (text: string) => text.replaceAll("'", "'\\''").replaceAll(":", "\\:");
  const described = (name: string, description: string) => `'${name}:${quote(description)}'`;
  const all = paths(root);
  const cases = all.map(({ path, node }) => {
    const words = [
      ...node.children.map(({ name, description }) => described(name, description)),
      ...node.operands.choices.map((choice) => `'${choice}'`),
    ];
    const flags = [...(path === "" ? [] : node.options), ...root.options].flatMap((option) =>
      option.flags.map((flag) => described(flag, option.description)),
    );
    const files = node.operands.isFile ? " files=yes" : "";
    for (const kind of node.operands.atHand) words.push(`\${(f)"$(${atHandCommands[kind]})"}`);
    return `    '${path}') offered=(${words.join(" ")}) flags=(${flags.join(" ")})${files} ;;`;
  });
  const values = valued(root).map(({ flags, value: { choices, isFile, atHand } }) => {
    const offered = isFile
      ? "_files"
      : atHand.length > 0
        ? `compadd -- ${atHand.map((kind) => `\${(f)"$(${atHandCommands[kind]})"}`).join(" ")}`
        : choices.length > 0
          ? `compadd -- ${choices.join(" ")}`
          : "_message value";
    return `    ${flags.join("|")}) ${offered}; return ;;`;
  });
  const nodes = all.filter(({ path }) => path !== "").map(({ path }) => `'${path}'`);
  return `#compdef mawps
# mawps completion for zsh: source <(mawps completion zsh)
_mawps() {
  local -a offered flags
  local current_path="" word candidate files=""
  case "$words[CURRENT-1]" in
${values.join("\n")}
  esac
  for word in "\${(@)words[2,CURRENT-1]}"; do
    candidate="\${current_path:+$current_path }$word"
    case "$candidate" in
      ${nodes.join("|")}) current_path="$candidate" ;;
    esac
  done
  case "$current_path" in
${cases.join("\n")}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    _describe -o 'option' flags
    return
  fi
  (( $#offered )) && _describe 'mawps' offered
  [[ -z "$files" ]] || _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _mawps mawps
`;
}

function fish(root: CompletionNode): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const valueOf = (value: CompletionValue | undefined) => {
    if (value === undefined) return "";
    if (value.isFile) return " -r -F";
    if (value.atHand.length > 0)
      return value.atHand.map((kind) => ` -x -a ${quote(`(${atHandCommands[kind]})`)}`).join("");
    return value.choices.length > 0 ? ` -x -a ${quote(value.choices.join(" "))}` : " -x";
  };
  const option = ({ flags, description, value }: CompletionOption) => {
    const names = flags.map((flag) =>
      flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
    );
    return `${names.join(" ")}${valueOf(value)} -d ${quote(description)}`;
  };
  const all = paths(root);
  const lines = ["complete -c mawps -f", ...root.options.map((each) => `complete -c mawps ${option(each)}`)];
  for (const { path, node } of all) {
    const here = `complete -c mawps -n ${quote(`__mawps_at ${path}`.trimEnd())}`;
    for (const { name, description } of node.children)
      lines.push(`${here} -a ${quote(name)} -d ${quote(description)}`);
    if (node.operands.choices.length > 0) lines.push(`${here} -a ${quote(node.operands.choices.join(" "))}`);
    for (const kind of node.operands.atHand) lines.push(`${here} -a ${quote(`(${atHandCommands[kind]})`)}`);
    if (node.operands.isFile) lines.push(`${here} -F`);
    if (path !== "") lines.push(...node.options.map((each) => `${here} ${option(each)}`));
  }
  const nodes = all.filter(({ path }) => path !== "").map(({ path }) => quote(path));
  return `# mawps completion for fish: mawps completion fish | source
function __mawps_at
    set -l path ""
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$path $word")
        contains -- "$next" ${nodes.join(" ")}; and set path "$next"
    end
    test "$path" = "$argv"
end
${lines.join("\n")}
`;
}
