/** One word of the command line as a completion script needs to know it. */
export interface CompletionNode {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletionOption[];
  readonly children: readonly CompletionNode[];
}

export interface CompletionOption {
  readonly flags: readonly string[];
  readonly description: string;
  readonly choices: readonly string[];
  /** Whether a value follows; files are offered where there are no choices. */
  readonly takesValue: boolean;
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

function bash(root: CompletionNode): string {
  const global = flagsOf(root).join(" ");
  const words = paths(root).map(({ path, node }) => {
    const offered = [...node.children.map(({ name }) => name), ...(path === "" ? [] : flagsOf(node))].join(
      " ",
    );
    return `    "${path}") words="${offered}" ;;`;
  });
  const values = root.options
    .filter(({ choices }) => choices.length > 0)
    .map(
      ({ flags, choices }) =>
        `    ${flags.join("|")}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); return ;;`,
    );
  const nodes = paths(root).map(({ path }) => `"${path}"`);
  return `# mawps completion for bash: source <(mawps completion bash)
_mawps() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  case "$previous" in
${values.join("\n")}
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${nodes.filter((node) => node !== '""').join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${words.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words ${global}" -- "$current"))
  [[ "$current" == -* ]] || COMPREPLY+=($(compgen -f -- "$current"))
}
complete -o filenames -F _mawps mawps
`;
}

function zsh(root: CompletionNode): string {
  const quote = (text: string) => text.replaceAll("'", "'\\''").replaceAll(":", "\\:");
  const cases = paths(root).map(({ path, node }) => {
    const offered = [
      ...node.children.map(({ name, description }) => `'${name}:${quote(description)}'`),
      ...[...(path === "" ? [] : node.options), ...root.options].flatMap(({ flags, description }) =>
        flags.map((flag) => `'${flag}:${quote(description)}'`),
      ),
    ];
    return `    '${path}') offered=(${offered.join(" ")}) ;;`;
  });
  const values = root.options
    .filter(({ choices }) => choices.length > 0)
    .map(({ flags, choices }) => `    ${flags.join("|")}) compadd -- ${choices.join(" ")}; return ;;`);
  const nodes = paths(root)
    .map(({ path }) => path)
    .filter((path) => path !== "")
    .map((path) => `'${path}'`);
  return `#compdef mawps
# mawps completion for zsh: source <(mawps completion zsh)
_mawps() {
  local -a offered
  local current_path="" word candidate
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
  _describe 'mawps' offered
  _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _mawps mawps
`;
}

function fish(root: CompletionNode): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const option = ({ flags, description, choices, takesValue }: CompletionOption) => {
    const names = flags.map((flag) =>
      flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
    );
    const value = choices.length > 0 ? ` -x -a ${quote(choices.join(" "))}` : takesValue ? " -r" : "";
    return `${names.join(" ")}${value} -d ${quote(description)}`;
  };
  const lines = root.options.map((each) => `complete -c mawps ${option(each)}`);
  for (const { path, node } of paths(root)) {
    const words = path === "" ? [] : path.split(" ");
    const condition = `__mawps_at ${words.map(quote).join(" ")}`.trimEnd();
    for (const { name, description } of node.children) {
      lines.push(`complete -c mawps -n ${quote(condition)} -f -a ${quote(name)} -d ${quote(description)}`);
    }
    if (path === "") continue;
    for (const each of node.options) lines.push(`complete -c mawps -n ${quote(condition)} ${option(each)}`);
  }
  return `# mawps completion for fish: mawps completion fish | source
function __mawps_at
    set -l given (commandline -opc)
    set -e given[1]
    set -l nouns (string match -v -- '-*' $given)
    test (count $nouns) -ge (count $argv); or return 1
    test (count $argv) -eq 0; and test (count $nouns) -gt 0; and return 1
    for i in (seq (count $argv))
        test "$nouns[$i]" = "$argv[$i]"; or return 1
    end
end
${lines.join("\n")}
`;
}
