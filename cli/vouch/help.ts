import type { Command } from 'commander';

/** Adds a `help` command. commander's own prints nothing about an unknown name, and works only one level deep. */
export function addHelp(group: Command): void {
  group
    .helpCommand(false)
    .command('help')
    .argument('[command...]', 'the command')
    .description('show the help of a command')
    .action(async (names: string[]) => {
      let found = group;
      for (const name of names) {
        const next = found.commands.find((command) => command.name() === name);
        if (next === undefined) {
          if (found.commands.length === 0) found.error(`error: '${found.name()}' has no commands of its own`);
          // A group prints that it has no such command, and names the nearest one.
          await found.parseAsync([name], { from: 'user' });
          return;
        }
        found = next;
      }
      found.outputHelp();
    });
}
