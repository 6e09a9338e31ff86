import { expect, test } from 'vitest';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { onTerminal } from '../../support/terminal.ts';
import { addPerson, ISSUER, newStore } from '../people/store.ts';
import { program } from '../program.ts';
import { newDatabase } from '../settings.ts';

test('removing a person asks on a terminal: anything but yes changes nothing', async () => {
  const file = newDatabase();
  const store = await newStore(`sqlite:${file}`);
  await addPerson(store, 'bob@example.com', 1);
  const isThere = async () => (await store.selectFrom('people').select('id').execute()).length === 1;
  const env = cleanEnvironment({ VOUCH_ISSUER: ISSUER, VOUCH_DATABASE_URL: `sqlite:${file}` });
  const answer = async (typed: string) => {
    const terminal = onTerminal(`'${process.execPath}' '${program}' people remove bob@example.com`, { env });
    await terminal.until(/Remove bob@example\.com .*\? This cannot be undone\. \[y\/N\] /);
    terminal.type(typed);
    return { code: await terminal.ended, said: terminal.said() };
  };
  for (const [typed, code, said] of [
    ['\r', 1, /vouch-server: Nothing was changed\.\n$/],
    ['\x04', 1, /vouch-server: Nothing was changed\.\n$/],
    ['\x03', 130, /\[y\/N\] (\^C)?\n?$/],
  ] as const) {
    const ended = await answer(typed);
    expect([typed, ended.code, ended.said]).toEqual([typed, code, expect.stringMatching(said)]);
    expect(await isThere()).toBe(true);
  }
  const yes = await answer('y\r');
  expect([yes.code, yes.said]).toEqual([0, expect.stringContaining('Removed bob@example.com, with 1 key.')]);
  expect(await isThere()).toBe(false);
});
