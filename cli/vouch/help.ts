import type { Command } from 'commander';

/**
 * Adds a `help` command to a group. commander's own prints nothing about an unknown name, and works only one level deep. After wrong usage the
 * group names only where its commands are listed: what was wrong must not scroll out of sight.
 */
export function addHelp(group: Command): void {
  group
    .showHelpAfterError(`\`${fullName(group)} --help\` lists its commands and options.`)
    .helpCommand(false)
    .command('help')
    .argument('[command...]', 'the command')
    .description('show the help of a command')
    .action((names: string[]) => {
      let found = group;
      for (const name of names) {
        const next = found.commands.find((command) => command.name() === name);
        if (next === undefined) unknown(found, name);
        else found = next;
      }
      found.outputHelp();
    });
}

/** After wrong usage a command names only where its options are listed, for the same reason. */
export function sayWhereHelpIs(command: Command): void {
  command.showHelpAfterError(`\`${fullName(command)} --help\` explains it.`);
}

/** Ends with the message that there is no such command, and which one is nearest. */
export function unknown(group: Command, name: string): void {
  if (group.commands.length === 0) group.error(`error: '${group.name()}' has no commands of its own`);
  group.args = [name];
  (group as Command & { unknownCommand(): never }).unknownCommand();
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
