import type { CommandNode } from './command-tree.ts';
import { commandWords, optionWords, shQuoted, valuedOptions, valueKeys } from './tables.ts';

/**
 * Completion for zsh: for `eval`, and as a file in a folder of `fpath` (`_vouch`).
 *
 * @param program the name of the program
 */
export function zshCompletion(program: string, nodes: readonly CommandNode[]): string {
  const fn = `_${program.replaceAll('-', '_')}`;
  // _describe takes a colon for the end of the word.
  const described = (words: readonly string[]) => words.map(shQuoted).join(' ');
  const tables = nodes.map(
    (node) => `    ${shQuoted(node.path)})
      names=(${described(commandWords(node))})
      flags=(${described(optionWords(node))})
      valued=(${valuedOptions(node).map(shQuoted).join(' ')}) ;;`,
  );
  const values = valueKeys(nodes).map(({ key, values: one }) => {
    const words = one.kind === 'words' ? ` choices=(${one.words.map(shQuoted).join(' ')})` : '';
    return `    ${shQuoted(key)}) kind=${one.kind}${words} ;;`;
  });
  return `#compdef ${program}
# Completion of ${program} for zsh. Made by \`vouch completion zsh\` from its commands.

# Sets names (of commands), flags, and valued (the options that take a value) of a command.
_${fn}_command() {
  names=() flags=() valued=()
  case $1 in
${tables.join('\n')}
  esac
}

# Sets kind and choices: what completes an option's value, or an argument.
_${fn}_value() {
  kind= choices=()
  case $1 in
${values.join('\n')}
  esac
}

${fn}() {
  local -a names flags valued choices found
  local kind word where= option= over= helping=
  local -i i count=0
  # Which command is it, and where in its words are we?
  _${fn}_command ''
  for ((i = 2; i < CURRENT; i++)); do
    word=\${(Q)words[i]}
    if [[ -n $option ]]; then
      option=
    elif [[ -z $over && $word == -- ]]; then
      over=1
    elif [[ -z $over && $word == -?* ]]; then
      [[ $word != *=* && -n \${valued[(r)$word]} ]] && option=$word
    elif [[ -z $over && -z $helping && $word == help && -n \${names[(r)help:*]} ]]; then
      helping=1
    elif [[ -z $over && $count == 0 && -n \${(M)names:#\${(b)word}:*} ]]; then
      where=\${where:+$where }$word
      _${fn}_command "$where"
    else
      count+=1
      # What follows is for the program that is run.
      _${fn}_value "$where 1"
      [[ $kind == programs ]] && over=1
    fi
  done

  if [[ -z $option && -z $over && $PREFIX == --*=* ]]; then
    option=\${PREFIX%%=*}
    compset -P 1 '*='
  fi
  kind= choices=()
  if [[ -n $option ]]; then
    _${fn}_value "$where $option"
  elif [[ -z $over && $PREFIX == -* ]]; then
    _describe -o option flags
    return
  elif [[ -n $helping || ( -z $over && $count == 0 && \${#names} -gt 0 ) ]]; then
    _describe command names
    return
  else
    _${fn}_value "$where $((count + 1))"
    [[ -n $kind ]] || _${fn}_value "$where *"
  fi
  case $kind in
    words) compadd -- $choices ;;
    profiles | roles | keys | sessions | lends)
      found=(\${(f)"$(vouch completion-words $kind 2>/dev/null)"})
      compadd -- $found ;;
    remotes)
      found=(\${(f)"$(git remote 2>/dev/null)"})
      compadd -- $found ;;
    hosts) _hosts ;;
    files) _files ;;
    folders) _files -/ ;;
    programs) _command_names -e ;;
    *) _message 'no more to complete' ;;
  esac
}

if [[ $funcstack[1] == ${fn} ]]; then
  ${fn} "$@"
else
  compdef ${fn} ${program}
fi
`;
}
