import type { Command } from 'commander';

/**
 * `vouch-server help`. commander's own prints no error for an unknown name. After wrong usage the program names only where its commands are
 * listed: what was wrong must not scroll out of sight.
 */
export function addHelp(program: Command): void {
  program
    .showHelpAfterError('`vouch-server --help` lists its commands and options.')
    .helpCommand(false)
    .command('help')
    .argument('[command...]', 'the command')
    .description('show the help of a command')
    .action((names: string[]) => {
      let found: Command = program;
      for (const name of names) {
        const next = found.commands.find((command) => command.name() === name);
        if (next === undefined) unknown(found, name);
        else found = next;
      }
      found.outputHelp();
    });
}

/** After wrong usage a command, and each of a group's, names only where its options are listed, for the same reason. */
export function sayWhereHelpIs(command: Command, name: string): void {
  const isGroup = command.commands.length > 0;
  if (isGroup) command.helpCommand(false);
  command.showHelpAfterError(`\`${name} --help\` ${isGroup ? 'lists its commands and options' : 'explains it'}.`);
  for (const each of command.commands) sayWhereHelpIs(each, `${name} ${each.name()}`);
}

/** Ends with the message that there is no such command. It never runs one: `help invite alice@example.com` must not invite. */
function unknown(group: Command, name: string): void {
  if (group.commands.length === 0) group.error(`error: '${group.name()}' has no commands of its own`);
  group.args = [name];
  (group as Command & { unknownCommand(): never }).unknownCommand();
}
