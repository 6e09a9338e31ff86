import type { Argument, Command, Option } from 'commander';
import { flags, paragraph, prose, section, subsection, term, usage, verbatim } from './roff.ts';

/** The manual of a program's commands, from its command table: it says what `--help` says. */

/** The part SYNOPSIS. */
export function synopsis(program: Command): string[] {
  return [section('SYNOPSIS'), usage(`${program.name()} [options] <command>`)];
}

/** The part COMMANDS: a subsection for each command, in the order of the table. */
export function commands(program: Command): string[] {
  return [section('COMMANDS'), ...each(program, program).flatMap((command) => commandSection(program, command))];
}

/** The part OPTIONS: those of the program itself. */
export function programOptions(program: Command): string[] {
  return [section('OPTIONS'), ...program.createHelp().visibleOptions(program).map(option)];
}

/** All commands below one, without hidden ones and the `help` of groups. */
function each(program: Command, group: Command): Command[] {
  return program
    .createHelp()
    .visibleCommands(group)
    .filter((command) => group === program || command.name() !== 'help')
    .flatMap((command) => [command, ...each(program, command)]);
}

function commandSection(program: Command, command: Command): string[] {
  const help = command.createHelp();
  const names = fullName(command);
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const more = textAfter(command);
  // A group that has options of its own does something by itself, too, as `vouch setup` does.
  const isGroup = command.commands.length > 0 && options.length === 0;
  const commandUsage = help.commandUsage(command).replace(/ \[command\]$/, isGroup ? ' <command>' : '$&');
  return [
    subsection(names),
    usage(commandUsage),
    paragraph(prose(sentence(command.description()))),
    ...command.registeredArguments.filter(({ description, argChoices }) => description || argChoices).map(argument),
    ...options.map(option),
    ...(command === program ? [] : blocks(more)),
  ];
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function option({
  flags: text,
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
  negate,
}: Option): string {
  const shown = defaultValue !== undefined && !negate && typeof defaultValue !== 'boolean';
  return term(
    flags(text),
    prose(
      sentence(description) +
        choices(argChoices) +
        (shown ? ` Default: ${defaultValueDescription ?? defaultValue}.` : ''),
    ),
  );
}

function argument(one: Argument): string {
  return term(usage(`<${one.name()}>`), prose(sentence(one.description) + choices(one.argChoices)));
}

function choices(words: readonly string[] | undefined): string {
  return words === undefined ? '' : ` One of: ${words.join(', ')}.`;
}

function sentence(text: string): string {
  const [first = '', rest = ''] = [text.slice(0, 1), text.slice(1)];
  // What begins with the name of a setting or a program stays as it is.
  const start = /^[a-z]+(\s|,|;|:|$)/.test(text) ? first.toUpperCase() : first;
  return text === '' ? '' : `${start}${rest}${/[.:!?]$/.test(text) ? '' : '.'}`;
}

/** The text that a command's help has after its lists. commander gives it away only as a part of what it prints. */
function textAfter(command: Command): string {
  const printed = { text: '' };
  const before = { ...command.configureOutput() };
  command.configureOutput({
    writeOut: (text) => {
      printed.text += text;
    },
    // Each paragraph is one line then.
    getOutHelpWidth: () => 100_000,
  });
  command.outputHelp();
  const help = command.helpInformation();
  command.configureOutput(before);
  return printed.text.slice(help.length);
}

/** Paragraphs are filled; lines that begin with a blank are commands and tables, and stay as they are. */
function blocks(text: string): string[] {
  return text.split(/\n(?=\S)|\n\n/).flatMap((part) => {
    const [first = '', ...rest] = part.split('\n');
    const isProse = /^\S/.test(first);
    const lines = (isProse ? rest : [first, ...rest]).join('\n').replace(/^\n+|\s+$/g, '');
    return [...(isProse ? [paragraph(prose(first))] : []), ...(lines === '' ? [] : [verbatim(lines)])];
  });
}
