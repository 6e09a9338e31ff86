import { findKey } from '../../account/find.ts';
import { sayOutstanding } from '../../account/outstanding-words.ts';
import { checkNotLast, removeAfterTouch } from '../../account/remove-key.ts';
import { accountKeys } from '../../agent/client/account-requests.ts';
import { agentStatus } from '../../agent/client/requests.ts';
import type { AccountKey, KeyRemoval } from '../../agent/protocol/account.ts';
import { chosenServer } from '../../config.ts';
import { logInAttended } from '../../login/attended.ts';
import { signedIn } from '../../login/log-in.ts';
import type { Io } from '../../terminal/io.ts';
import { count } from '../../text/count.ts';
import { jsonText } from '../../text/json-text.ts';
import { keyLabel } from '../../text/key-label.ts';
import { printable } from '../../text/printable.ts';
import { day } from '../../text/time.ts';
import { type ConfirmOptions, confirmed, isPersonThere } from '../confirmed.ts';

export interface KeysRemoveOptions extends ConfirmOptions {
  /** JSON for programs; what the person needs goes to standard error. */
  json?: boolean;
}

/** How long a person may take for the touch, in seconds, as with `vouch login`. */
const timeout = 300;

/** `vouch keys remove`: asks first, and makes the person sign in if their last touch is too old. */
export async function keysRemove(
  typed: string,
  { json = false, yes = false }: KeysRemoveOptions,
  io: Io,
): Promise<number> {
  const keys = await accountKeys(io.env);
  const key = findKey(keys, typed);
  checkNotLast(keys);
  await confirmed(question(key), { yes });
  const touch = isPersonThere() ? () => touchAgain(json, io) : undefined;
  const removal = await removeAfterTouch(key, touch, io.env);
  if (json) io.stdout.write(`${jsonText({ key, ...removal })}\n`);
  else
    io.stdout.write(
      said(key, removal)
        .map((line) => `${line}\n`)
        .join(''),
    );
  return 0;
}

function question(key: AccountKey): string {
  const ends = key.current ? ' This session ends with it.' : '';
  return `Remove ${keyLabel(key)}, added ${day(new Date(key.addedAt))}?${ends}`;
}

async function touchAgain(json: boolean, io: Io): Promise<void> {
  const { session } = await agentStatus(io.env);
  const say = (text: string) => (json ? io.stderr : io.stdout).write(`${text}\n`);
  say('Removing a key takes a touch from the last 5 minutes, so sign in again.');
  const server = session?.issuer ?? chosenServer(io.env, undefined);
  const options = { env: io.env, server, browser: true, timeout, say, screen: process.stderr };
  say(signedIn((await logInAttended(options)).session));
}

function said({ name }: AccountKey, { sessions, signedOut, awsCredentialsUntil }: KeyRemoval): string[] {
  const others = sessions - Number(signedOut);
  const outstanding = sayOutstanding(awsCredentialsUntil, new Date());
  const ended = others > 0 ? `, and ended ${count(others, 'other session')} that began with it` : '';
  return [
    `Removed "${printable(name, 100)}"${ended}`,
    ...(signedOut ? ['You are signed out here. Next: `vouch login` with another key'] : []),
    ...(outstanding === undefined ? [] : [outstanding]),
  ];
}
