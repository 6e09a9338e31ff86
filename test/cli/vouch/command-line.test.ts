import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { machine, root, run } from '../support.ts';

const program = join(root, 'cli/vouch/main.ts');

test('a reader that stops early, as `head` does, ends it without a message', async () => {
  const child = spawn(process.execPath, ['cli/vouch/command-line.ts', 'doctor', '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const said = text(child.stderr);
  expect(await once(child, 'close')).toEqual([141, null]);
  expect(await said).toBe('');
});

describe('when standard output cannot be written to', () => {
  /** Runs `vouch` with one of its streams on a full disk. */
  async function onFullDisk(args: string[], stream: 1 | 2) {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const the = machine();
    const child = spawn(process.execPath, [program, ...args], {
      env: the.env,
      cwd: the.folder,
      stdio: ['ignore', stream === 1 ? full : 'ignore', stream === 2 ? full : 'pipe'],
    });
    const said = child.stderr === null ? '' : text(child.stderr);
    const [code] = await once(child, 'close');
    return { code, said: await said };
  }

  test.each([
    [['status']],
    [['status', '--json']],
    [['status', '--format', 'shell']],
    [['config', 'list']],
    [['config', 'list', '--json']],
    [['config', 'get', 'autoLogin']],
    [['agent', 'status', '--json']],
    [['logout', '--json']],
    [['init', 'bash']],
    [['doctor', '--json']],
    [['setup', 'codecommit', '--absolute', '--dry-run']],
    [['setup', 'aws', '--role', 'arn:aws:iam::123456789012:role/R', '--region', 'us-east-1', '--json']],
    [['--version']],
    [['--help']],
    [['help', 'setup', 'aws']],
    [['help', 'keys']],
  ])('%j ends with a sentence', async (args) => {
    const { code, said } = await onFullDisk(args, 1);
    expect(said).toMatch(
      /^vouch: The output could not be written\.\n {2}Standard output goes to a disk that is full\.\n {2}.*\n$/m,
    );
    expect(said).not.toMatch(/^ {4}at /m);
    expect(code).toBe(1);
  });

  test('without standard error the status still reports that', async () => {
    expect((await onFullDisk(['nonsense'], 2)).code).toBe(2);
    expect((await onFullDisk(['config', 'get', 'nonsense'], 2)).code).toBe(2);
  });
});

describe('vouch help', () => {
  const help = (...args: string[]) => run(process.execPath, [program, 'help', ...args], machine().env);

  test.each([
    [['statsu'], "unknown command 'statsu'\n(Did you mean status?)"],
    [['setup', 'codecomit'], "unknown command 'codecomit'\n(Did you mean codecommit?)"],
    [['nonsense'], "unknown command 'nonsense'"],
    [['login', 'nonsense'], "'login' has no commands of its own"],
  ])('%j is wrong usage', async (args, said) => {
    expect(await help(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(said) });
  });

  test.each([
    [[], 'Usage: vouch [options] [command]'],
    [['setup'], 'Usage: vouch setup [options] [command]'],
    [['setup', 'aws'], 'Usage: vouch setup aws [options]'],
  ])('%j shows it', async (args, said) => {
    expect(await help(...args)).toMatchObject({ code: 0, stdout: expect.stringContaining(said), stderr: '' });
  });

  test('of a group does the same', async () => {
    const { env } = machine();
    expect(await run(process.execPath, [program, 'setup', 'help', 'aws'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: vouch setup aws'),
    });
    expect(await run(process.execPath, [program, 'agent', 'help', 'strat'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('(Did you mean start?)'),
    });
  });
});

describe('in a folder that was deleted', () => {
  /** Runs `vouch` in a folder that was deleted. */
  function inDeletedFolder(the: ReturnType<typeof machine>, ...args: string[]) {
    const gone = join(the.folder, 'gone');
    mkdirSync(gone);
    const script = 'cd "$0" && rmdir "$0" && exec "$@"';
    return run('sh', ['-c', script, gone, process.execPath, program, ...args], the.env);
  }

  test('status knows what Git is set up for', async () => {
    const the = machine();
    await run(
      'git',
      ['config', '--global', 'credential.https://git-codecommit.*.amazonaws.com.helper', 'vouch'],
      the.env,
    );
    expect(await inDeletedFolder(the, 'status')).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('CodeCommit in every region, through vouch'),
    });
    expect(JSON.parse((await inDeletedFolder(the, 'status', '--json')).stdout).git).toBe(true);
  });

  test('doctor looks at what needs no folder', async () => {
    const the = machine();
    const { stdout, stderr } = await inDeletedFolder(the, 'doctor', '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).checks.map(({ id }: { id: string }) => id)).toContain('server');
  });

  test('setup codecommit sets up', async () => {
    const the = machine();
    expect(await inDeletedFolder(the, 'setup', 'codecommit', '--absolute')).toMatchObject({ code: 0, stderr: '' });
    const set = await run('git', ['config', '--global', '--get-regexp', '^credential'], the.env);
    expect(set.stdout).toContain('vouch');
  });
});
