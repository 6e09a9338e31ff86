import type { Command } from 'commander';
import { addListKeys } from './signing-keys/list.ts';
import { addRevoke } from './signing-keys/revoke.ts';
import { addRotate } from './signing-keys/rotate.ts';

/** `vouch-server signing-keys`: the keys that sign tokens. */
export function addSigningKeys(program: Command): void {
  const keys = program
    .command('signing-keys')
    .description('list the keys that sign tokens, and replace them')
    .addHelpText(
      'after',
      `
Examples:
  vouch-server signing-keys list
  vouch-server signing-keys rotate
  vouch-server signing-keys revoke mX1p0bQfTS`,
    );
  addListKeys(keys);
  addRotate(keys);
  addRevoke(keys);
}
