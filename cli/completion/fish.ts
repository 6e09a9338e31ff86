import type { CommandNode } from './command-tree.ts';
import { commandWords, fishQuoted, optionWords, valuedOptions, valueKeys } from './tables.ts';

/**
 * Completion for fish, from 3.0 on. One function answers for all commands: with a `complete` for each option fish would have to look at
 * hundreds of conditions.
 *
 * @param program the name of the program
 */
export function fishCompletion(program: string, nodes: readonly CommandNode[]): string {
  const fn = `__${program.replaceAll('-', '_')}`;
  const list = (words: readonly string[]) => words.map(fishQuoted).join(' ');
  // fish takes a tab for the end of the word.
  const described = (words: readonly string[]) => list(words.map((word) => word.replace(':', '\t')));
  const tables = nodes.map(
    (node) => `    case ${fishQuoted(node.path)}
      set -g ${fn}_commands ${described(commandWords(node))}
      set -g ${fn}_options ${described(optionWords(node))}
      set -g ${fn}_valued ${list(valuedOptions(node))}`,
  );
  const values = valueKeys(nodes).map(({ key, values: one }) => {
    // A star would be a pattern; fish's has no other way to be plain.
    const found = fishQuoted(key.replace(/\*$/, 'rest'));
    const words = one.kind === 'words' ? `\n      set -g ${fn}_words ${list(one.words)}` : '';
    return `    case ${found}\n      set -g ${fn}_kind ${one.kind}${words}`;
  });
  return `# Completion of ${program} for fish. Made by \`vouch completion fish\` from its commands.

# Sets the commands, the options, and the options that take a value, of a command.
function ${fn}_command
  set -g ${fn}_commands
  set -g ${fn}_options
  set -g ${fn}_valued
  switch "$argv[1]"
${tables.join('\n')}
  end
end

# Sets what completes an option's value, or an argument.
function ${fn}_value
  set -g ${fn}_kind
  set -g ${fn}_words
  switch "$argv[1]"
${values.join('\n')}
  end
end

function ${fn}_has
  string match -q -r '^'(string escape --style=regex -- $argv[1])'(\\t|$)' -- $argv[2..-1]
end

function ${fn}_complete
  set -l line (commandline -opc)
  set -l current (commandline -ct)
  set -l path ''
  set -l option ''
  set -l count 0
  set -l over ''
  set -l helping ''
  # Which command is it, and where in its words are we?
  ${fn}_command ''
  for word in $line[2..-1]
    if test -n "$option"
      set option ''
    else if test -z "$over" -a "x$word" = x--
      set over 1
    else if test -z "$over"; and string match -q -- '-?*' $word
      if not string match -q -- '*=*' $word; and contains -- $word $${fn}_valued
        set option $word
      end
    else if test -z "$over" -a -z "$helping" -a "x$word" = xhelp; and ${fn}_has help $${fn}_commands
      set helping 1
    else if test -z "$over" -a $count = 0; and ${fn}_has $word $${fn}_commands
      set path (string trim -- "$path $word")
      ${fn}_command $path
    else
      set count (math $count + 1)
      # What follows is for the program that is run.
      ${fn}_value "$path 1"
      test "$${fn}_kind" = programs; and set over 1
    end
  end

  set -l before ''
  if test -z "$option" -a -z "$over"; and string match -q -- '--*=*' $current
    set option (string replace -r '=.*' '' -- $current)
    set before $option=
  end
  set -g ${fn}_kind
  if test -n "$option"
    ${fn}_value "$path $option"
  else if test -z "$over"; and string match -q -- '-*' $current
    printf '%s\\n' $${fn}_options
    return
  else if test -n "$helping"
    printf '%s\\n' $${fn}_commands
    return
  else if test -z "$over" -a $count = 0 -a -n "$${fn}_commands"
    printf '%s\\n' $${fn}_commands
    return
  else
    ${fn}_value "$path "(math $count + 1)
    test -n "$${fn}_kind"; or ${fn}_value "$path rest"
  end
  switch "$${fn}_kind"
    case words
      printf '%s\\n' $before$${fn}_words
    case profiles roles keys sessions lends
      for found in (vouch completion-words $${fn}_kind 2>/dev/null)
        printf '%s\\n' $before$found
      end
    case remotes
      git remote 2>/dev/null
    case hosts
      __fish_print_hostnames
    case files
      __fish_complete_path (string replace -- "$before" '' $current)
    case folders
      __fish_complete_directories (string replace -- "$before" '' $current)
    case programs
      __fish_complete_command
  end
end

complete -c ${program} -f -a '(${fn}_complete)'
`;
}
