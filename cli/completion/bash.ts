import type { CommandNode } from './command-tree.ts';
import { shQuoted, valuedOptions, valueKeys } from './tables.ts';

/**
 * Completion for bash, from 3.2 (macOS) on. bash has cut the line into words at the characters of COMP_WORDBREAKS, so also at the `:` of a
 * role's ARN and the `=` of `--format=json`: they are put together again, and of each answer only what belongs to the last piece is
 * given back.
 *
 * @param program the name of the program
 */
export function bashCompletion(program: string, nodes: readonly CommandNode[]): string {
  const fn = `_${program.replaceAll('-', '_')}`;
  const list = (words: readonly string[]) => shQuoted(words.join(' '));
  const tables = nodes.map(
    (node) => `    ${shQuoted(node.path)})
      commands=${list(node.commands.map(({ name }) => name))}
      options=${list(node.options.flatMap(({ names }) => names))}
      valued=${list(valuedOptions(node))} ;;`,
  );
  const values = valueKeys(nodes).map(({ key, values: one }) => {
    const words = one.kind === 'words' ? ` words=${list(one.words)}` : '';
    return `    ${shQuoted(key)}) kind=${one.kind}${words} ;;`;
  });
  return `# Completion of ${program} for bash. Made by \`vouch completion bash\` from its commands.

# Sets commands, options, and valued (the options that take a value) of a command.
_${fn}_command() {
  commands= options= valued=
  case $1 in
${tables.join('\n')}
  esac
}

# Sets kind and words: what completes an option's value, or an argument.
_${fn}_value() {
  kind= words=
  case $1 in
${values.join('\n')}
  esac
}

${fn}() {
  COMPREPLY=()
  local IFS=$' \\t\\n' commands options valued kind words
  local -a line=()
  local i word last= current raw skip
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i > 1)) && [[ $word == [:=]* || $last == *[:=] ]]; then
      line[\${#line[@]} - 1]+=$word
    else
      line+=("$word")
    fi
    last=$word
  done
  current=\${line[\${#line[@]} - 1]}
  raw=\${COMP_WORDS[COMP_CWORD]}
  [[ $raw == [:=] ]] && raw=
  skip=\${current%"$raw"}

  # Which command is it, and where in its words are we?
  local path= option= count=0 words_over= helping=
  _${fn}_command ''
  for ((i = 1; i < \${#line[@]} - 1; i++)); do
    word=\${line[i]}
    if [[ $option ]]; then
      option=
    elif [[ ! $words_over && $word == -- ]]; then
      words_over=1
    elif [[ ! $words_over && $word == -?* ]]; then
      [[ $word != *=* && " $valued " == *" $word "* ]] && option=$word
    elif [[ ! $words_over && $word == help && ! $helping && " $commands " == *' help '* ]]; then
      helping=1
    elif [[ ! $words_over && $count == 0 && " $commands " == *" $word "* ]]; then
      path=\${path:+$path }$word
      _${fn}_command "$path"
    else
      ((count++))
      # What follows is for the program that is run.
      _${fn}_value "$path 1"
      [[ $kind == programs ]] && words_over=1
    fi
  done

  # Where in the word, if it is --option=value?
  if [[ ! $option && ! $words_over && $current == --*=* ]]; then
    option=\${current%%=*}
    current=\${current#*=}
    # bash keeps what is before the = by itself, if it has cut the word there.
    if [[ $skip ]]; then skip=\${skip#"$option="}; else local keep=$option=; fi
  fi
  kind= words=
  if [[ $option ]]; then
    _${fn}_value "$path $option"
  elif [[ $helping || ( ! $words_over && $count == 0 && $commands ) ]]; then
    kind=words words=$commands
  elif [[ ! $words_over && $current == -* ]]; then
    kind=words words=$options
  else
    _${fn}_value "$path $((count + 1))"
    [[ $kind ]] || _${fn}_value "$path *"
  fi
  if [[ ! $option && ! $words_over && $current == -* ]]; then kind=words words=$options; fi

  # A word that is being typed within quotes.
  local typed=\${current#[\\"\\']}
  typed=\${typed//\\\\/}
  local found= reply
  case $kind in
    words) found=\${words// /$'\\n'} ;;
    profiles | roles | keys | sessions | lends) found=$(vouch completion-words "$kind" 2>/dev/null) ;;
    remotes) found=$(git remote 2>/dev/null) ;;
    hosts) found=$(compgen -A hostname -- "$typed") ;;
    files) found=$(compgen -f -- "$typed") ;;
    folders) found=$(compgen -d -- "$typed") ;;
    programs) found=$(compgen -c -- "$typed") ;;
    *) return ;;
  esac
  # bash then adds a slash to folders, and quotes what needs it. Before bash 4 it cannot.
  [[ $kind == files || $kind == folders ]] && compopt -o filenames 2>/dev/null
  while IFS= read -r reply; do
    [[ $reply && $reply == "$typed"* ]] || continue
    reply=\${keep-}\${reply#"$skip"}
    # Names of keys may have blanks. Within quotes bash needs none of it.
    [[ $current == [\\"\\']* || $kind != [klrps]* ]] || printf -v reply %q "$reply"
    COMPREPLY+=("$reply")
  done <<<"$found"
}

complete -F ${fn} ${program}
`;
}
