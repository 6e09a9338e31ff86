import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { machine, role, run, setUpProfile } from '../support.ts';
import { completingShell, triedShells } from './shells.ts';

describe.each(triedShells)('%s', (shell) => {
  test('completes commands, options and choices, and starts no Node for them', async () => {
    const the = machine();
    const { complete } = await completingShell(shell, the);
    expect(await complete('vouch stat\t')).toEqual(['status']);
    expect(await complete('vouch ke\tren\tx y')).toEqual(['keys', 'rename', 'x', 'y']);
    expect(await complete('vouch status --fo\tfi\t')).toEqual(['status', '--format', 'fish']);
    expect(await complete('vouch status --format=sh\t')).toEqual(['status', '--format=shell']);
    expect(await complete('vouch setup aws --role x --dr\t')).toEqual(['setup', 'aws', '--role', 'x', '--dry-run']);
    expect(await complete('vouch config get callb\t')).toEqual(['config', 'get', 'callbackPort']);
    expect(await complete('vouch init z\t')).toEqual(['init', 'zsh']);
    expect(await complete('vouch help ke\trem\t')).toEqual(['help', 'keys', 'remove']);
    expect(await complete('vouch keys help ad\t')).toEqual(['keys', 'help', 'add']);
    expect(await complete('vouch lend exec --pull-o\tprintenv --al\t')).toEqual([
      'lend',
      'exec',
      '--pull-only',
      'printenv',
      '--al',
    ]);
    // Nothing of the first command is a command of the second.
    expect(await complete('vouch logout stat\t')).toEqual(['logout', 'stat']);
    expect(existsSync(join(the.env.HOME ?? '', 'asked'))).toBe(false);
  });

  test('completes profiles, roles and remotes', async () => {
    const the = machine();
    setUpProfile(the, 'production');
    setUpProfile(the, '"two words"', 'arn:aws:iam::210987654321:role/Other');
    const { complete } = await completingShell(shell, the);
    expect(await complete('vouch exec --profile prod\tsh')).toEqual(['exec', '--profile', 'production', 'sh']);
    expect(await complete('vouch env --profile=prod\t')).toEqual(['env', '--profile=production']);
    expect(await complete('vouch env --profile tw\t')).toEqual(['env', '--profile', 'two words']);
    expect(await complete('vouch credential aws --role arn:aws:iam::1\t')).toEqual([
      'credential',
      'aws',
      '--role',
      role,
    ]);
    await run('git', ['init', '-q', '.'], the.env);
    await run('git', ['remote', 'add', 'upstream', 'https://example.com/'], the.env);
    expect(await complete('vouch doctor ups\t')).toEqual(['doctor', 'upstream']);
    expect(
      readFileSync(join(the.env.HOME ?? '', 'asked'), 'utf8')
        .split('\n')
        .filter(Boolean),
    ).toEqual(expect.arrayContaining(['profiles', 'roles']));
  });

  test('completes a program to run and its files, and then leaves its options alone', async () => {
    const the = machine();
    writeFileSync(join(the.env.HOME ?? '', 'plan.tfplan'), '');
    mkdirSync(join(the.env.HOME ?? '', 'folder'));
    const { complete } = await completingShell(shell, the);
    expect(await complete('vouch exec --quiet git-credential-c\t plan.\t')).toEqual(
      expect.arrayContaining(['exec', '--quiet', 'plan.tfplan']),
    );
    expect(await complete('vouch exec -- printenv --prof\t')).toEqual(['exec', '--', 'printenv', '--prof']);
  });

  test('a name of somebody else cannot become a command', async () => {
    const the = machine();
    setUpProfile(the, '"$(touch hacked)`touch hacked`;x"');
    const { complete } = await completingShell(shell, the);
    const got = await complete("vouch exec --profile '$\t");
    expect(got).toEqual(['exec', '--profile', '$(touch hacked)`touch hacked`;x']);
    expect(existsSync(join(the.env.HOME ?? '', 'hacked'))).toBe(false);
  });
});
