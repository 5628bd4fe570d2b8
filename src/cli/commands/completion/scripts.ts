import { type CompletedCommand, type CompletedOption, globalOptions } from "./words.js";

/** Text in single quotes, as every shell here reads it. */
function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Patterns of a `case` for the options that take a value, each with the values that are known. */
function valueCases(
  options: readonly CompletedOption[],
  indent: string,
  line: (values: readonly string[]) => string,
) {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ flag, values }) => `${indent}${flag}) ${line(values)} ;;`)
    .join("\n");
}

/** The word that is the command, which comes after options and the values of `--import`. */
const findCommand = (first: number, word: string, current: string) => `  local command= i
  for ((i = ${first}; i < ${current}; i++)); do
    case \${${word}} in
      --import) ((i++)) ;;
      -*) ;;
      *) command=\${${word}}; break ;;
    esac
  done`;

function bash(commands: readonly CompletedCommand[]): string {
  const words = (list: readonly string[]) => single(list.join(" "));
  const cases = commands.map(
    ({ name, options, operands }) => `    ${name})
      case $previous in
${valueCases(options, "        ", (values) => `words=${words(values)}`)}
        *) case $current in
          -*) words=${words(options.map(({ flag }) => flag))} ;;
          *) words=${words(operands)} ;;
        esac ;;
      esac ;;`,
  );
  const first = [
    ...commands.map(({ name }) => name),
    "help",
    "--version",
    ...globalOptions.map(({ flag }) => flag),
  ];
  return `# Completion of sqa for bash: eval "$(sqa completion bash)"
_sqa() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words=
${findCommand(1, "COMP_WORDS[i]", "COMP_CWORD")}
  case $command in
    "") [[ $previous == --import ]] || words=${words(first)} ;;
    help) words=${words(commands.map(({ name }) => name))} ;;
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _sqa sqa
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  const entry = (name: string, description: string) =>
    single(`${name.replaceAll(":", "\\:")}:${description}`);
  const words = (list: readonly string[]) => `found=(${list.map(single).join(" ")})`;
  const flags = (options: readonly CompletedOption[]) =>
    `found=(${options.map(({ flag, description }) => entry(flag, description)).join(" ")})`;
  const cases = commands.map(
    ({ name, options, operands }) => `    ${name})
      case $previous in
${valueCases(options, "        ", words)}
        *) case $current in
          -*) ${flags(options)} ;;
          *) ${words(operands)} ;;
        esac ;;
      esac ;;`,
  );
  const first = [
    ...commands.map(({ name, summary }) => entry(name, summary)),
    ...globalOptions.map(({ flag, description }) => entry(flag, description)),
  ];
  return `#compdef sqa
# Completion of sqa for zsh: eval "$(sqa completion zsh)"
_sqa() {
  local current=$words[CURRENT] previous=$words[CURRENT-1]
  local -a found
${findCommand(2, "words[i]", "CURRENT")}
  case $command in
    "") [[ $previous == --import ]] || found=(${first.join(" ")}) ;;
    help) ${words(commands.map(({ name }) => name))} ;;
${cases.join("\n")}
  esac
  if (( $#found )); then _describe sqa found; else _files; fi
}
compdef _sqa sqa
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const option = (condition: string, { flag, description, takesValue, values }: CompletedOption) => {
    const value = !takesValue ? "" : values.length === 0 ? " -r -F" : ` -r -f -a ${quoted(values.join(" "))}`;
    return `complete -c sqa -n ${quoted(condition)} -l ${flag.slice(2)}${value} -d ${quoted(description)}`;
  };
  const lines = commands.flatMap(({ name, summary, options, operands }) => {
    const condition = `__fish_seen_subcommand_from ${name}`;
    return [
      `complete -c sqa -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...options.map((one) => option(condition, one)),
      ...(operands.length === 0
        ? []
        : [`complete -c sqa -n ${quoted(condition)} -f -a ${quoted(operands.join(" "))}`]),
    ];
  });
  const globals = globalOptions.map((one) => option("__fish_use_subcommand", one));
  return `# Completion of sqa for fish: sqa completion fish | source
${[...lines, ...globals].join("\n")}
`;
}

/** Shells that completion is written for, each with its script. */
export const scripts = { bash, zsh, fish } as const;
