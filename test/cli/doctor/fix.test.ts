import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dropSession } from '../../../cli/agent/client/requests.ts';
import { onTerminal } from '../../support/terminal.ts';
import { type Machine, machine, root } from '../support.ts';

function doctor(the: Machine, ...options: string[]) {
  // Starting the agent is one of the things that --fix does.
  onTestFinished(() =>
    dropSession(the.env).then(
      () => {},
      () => {},
    ),
  );
  const command = [process.execPath, join(root, 'cli/vouch/command-line.ts'), 'doctor', '--fix', ...options].join(' ');
  return onTerminal(command, { env: { ...the.env, NO_COLOR: '1' } });
}

const config = ({ env }: Machine) => {
  const file = join(env.HOME ?? '', '.gitconfig');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

describe('vouch doctor --fix on a terminal', () => {
  test('shows what it would do, asks, and takes every answer but yes for no', async () => {
    const the = machine();
    const { type, until, said, ended } = doctor(the);
    await until(/Do that\? \[y\/N\]/);
    expect(said()).toContain('  start the agent (`vouch agent start`)\n');
    expect(said()).toMatch(/\n {2}\+ {5}helper = .*git-credential-vouch/);
    type('\n');
    expect(await ended).toBe(1);
    expect(config(the)).toBe('');
    expect(said()).not.toContain('Done.');
  });

  test('Ctrl-C at the question ends it', async () => {
    const the = machine();
    const { type, until, ended } = doctor(the);
    await until(/Do that\? \[y\/N\]/);
    type('\x03');
    expect(await ended).toBe(130);
    expect(config(the)).toBe('');
  });

  test('Ctrl-D at the question changes nothing', async () => {
    const the = machine();
    const { type, until, said, ended } = doctor(the);
    await until(/Do that\? \[y\/N\]/);
    type('\x04');
    expect(await ended).toBe(1);
    expect([config(the), said()]).toEqual(['', expect.not.stringContaining('Done.')]);
  });

  test('does it at yes, and looks again', async () => {
    const the = machine();
    const { type, until, ended } = doctor(the);
    await until(/Do that\? \[y\/N\]/);
    expect(config(the)).toBe('');
    type('y\n');
    const [again] = await until(/Done\. Once more:.*not tried\./s);
    // A started agent has no session.
    expect(again).toMatch(/✓ Agent +running since/);
    expect(again).toContain('You are not signed in.');
    expect(await ended).toBe(1);
    expect(config(the)).toMatch(/helper = .*git-credential-vouch/);
  });

  test('does not ask with --yes', async () => {
    const the = machine();
    const { said, ended } = doctor(the, '--yes');
    expect(await ended).toBe(1);
    expect(said()).not.toContain('Do that?');
    expect(config(the)).toMatch(/helper = .*git-credential-vouch/);
  });
});
