import { findKey } from '../../account/find.ts';
import { readKeyName } from '../../account/names.ts';
import { accountKeys, renameKey } from '../../agent/client/account-requests.ts';
import type { AccountKey } from '../../agent/protocol/account.ts';
import type { Io } from '../../terminal/io.ts';
import { type Listed, listing } from '../../terminal/listing.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';
import { clockTime, day } from '../../text/time.ts';

export interface KeysOptions {
  /** JSON for programs. */
  json?: boolean;
}

/** `vouch keys list`: the person's security keys, the oldest first. */
export async function keysList({ json = false }: KeysOptions, io: Io): Promise<number> {
  const keys = await accountKeys(io.env);
  if (json) {
    io.stdout.write(`${jsonText({ keys })}\n`);
    return 0;
  }
  const now = new Date();
  const list = keys.map((key) => listed(key, now));
  io.stdout.write(listing(['NAME', 'MODEL', 'ADDED', 'LAST USED'], list, io.stdout.columns));
  return 0;
}

function listed(key: AccountKey, now: Date): Listed {
  const [name, model] = [printable(key.name, 100), printable(key.model ?? '', 100)];
  const added = day(new Date(key.addedAt));
  const used = key.lastUsedAt === null ? 'never' : lastUse(new Date(key.lastUsedAt), now);
  const mark = key.current ? 'this session' : '';
  return {
    cells: [name, model || '-', added, used, mark],
    lines: [`${name}${mark && ` (${mark})`}`, ...(model && [model]), `added ${added}`, `last used ${used}`],
  };
}

function lastUse(moment: Date, now: Date): string {
  return moment.toDateString() === now.toDateString() ? `today ${clockTime(moment, now)}` : day(moment);
}

/** `vouch keys rename`. */
export async function keysRename(
  typed: string,
  newName: string,
  { json = false }: KeysOptions,
  io: Io,
): Promise<number> {
  const name = readKeyName(newName);
  const key = findKey(await accountKeys(io.env), typed);
  await renameKey(key.id, name, io.env);
  // The agent learns its own key's new name by this, for `vouch status`.
  const renamed = (await accountKeys(io.env)).find(({ id }) => id === key.id) ?? { ...key, name };
  io.stdout.write(
    json
      ? `${jsonText({ key: renamed })}\n`
      : `"${printable(key.name, 100)}" is called "${printable(renamed.name, 100)}" now\n`,
  );
  return 0;
}
