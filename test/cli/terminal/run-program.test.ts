import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runProgram } from '../../../cli/terminal/run-program.ts';
import { onTerminal } from '../../support/terminal.ts';
import { root } from '../support.ts';

const module = JSON.stringify(join(root, 'cli/terminal/run-program.ts'));

/** A program that runs another one, and ends with its exit code. */
const running = (...command: string[]) => [
  '--input-type=module',
  '--eval',
  `const { runProgram } = await import(${module}); process.exitCode = await runProgram(${JSON.stringify(command)}, process.env);`,
];

/** A shell that counts what it is sent, and ends after SIGTERM. */
const counting = `trap 'printf "got INT\\n"' INT; trap 'printf "got TERM\\n"; exit 7' TERM; printf 'ready\\n'
  while :; do read -r line || :; [ "$line" = end ] && exit 5; done`;

test('the exit code is the program’s, and so are arguments, streams and variables', async () => {
  const script = 'printf "%s|" "$@" "$NAME"; cat; exit 42';
  const child = spawn(process.execPath, running('sh', '-c', script, 'sh', 'a b', '', '$HOME'), {
    env: { ...process.env, NAME: 'value' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end('input');
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  expect({ code, said }).toEqual({ code: 42, said: 'a b||$HOME|value|input' });
});

test('a program that a signal ends has 128 plus its number', async () => {
  expect(await runProgram(['sh', '-c', 'kill -KILL $$'], process.env)).toBe(137);
});

test('without a terminal, signals go to the program, which decides', async () => {
  const child = spawn(
    'setsid',
    ['--wait', process.execPath, ...running('sh', '-c', `printf "$PPID\\n"; ${counting}`)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  let said = '';
  const until = async (pattern: RegExp) => {
    while (!pattern.test(said)) said += (await once(child.stdout, 'data'))[0];
  };
  await until(/ready\n/);
  const pid = Number(said.split('\n')[0]);
  process.kill(pid, 'SIGINT');
  await until(/got INT\n/);
  process.kill(pid, 'SIGTERM');
  await until(/got TERM\n/);
  const [code] = await once(child, 'close');
  expect({ code, said }).toEqual({ code: 7, said: `${pid}\nready\ngot INT\ngot TERM\n` });
});

test('on a terminal, the program learns of one Ctrl-C once', async () => {
  const [node, ...args] = [process.execPath, ...running('sh', '-c', counting)].map(
    (word) => `'${word.replaceAll("'", "'\\''")}'`,
  );
  const terminal = onTerminal(['exec', node, ...args].join(' '), { env: process.env, cwd: root });
  await terminal.until(/ready\n/);
  terminal.type('\x03');
  await terminal.until(/got INT\n/);
  terminal.type('end\n');
  expect(await terminal.ended).toBe(5);
  expect(terminal.said().match(/got INT/g)).toHaveLength(1);
});

test('a program that is not there is a problem, and another one if it cannot be run, as for env(1)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vouch-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = join(folder, 'script');
  writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 });
  const problem = (...command: [string, ...string[]]) =>
    runProgram(command, process.env).catch(({ kind, exitCode, what, why }) => ({ kind, exitCode, what, why }));
  const absent = { kind: 'no-program', exitCode: 127, why: '' };
  expect(await problem('no-such-program')).toEqual({
    ...absent,
    what: 'There is no program no-such-program on the PATH.',
  });
  expect(await problem('')).toEqual({ ...absent, what: 'There is no program "" on the PATH.' });
  expect(await problem(join(folder, 'x'))).toEqual({ ...absent, what: `There is no program ${folder}/x.` });
  const cannot = (why: unknown) => expect.objectContaining({ kind: 'cannot-run', exitCode: 126, why });
  expect(await problem(folder)).toEqual(cannot(expect.stringContaining('EACCES')));
  expect(await problem(script)).toEqual(cannot(expect.stringContaining('its first line names')));
  // These Node throws at once.
  expect(await problem(`${script}/below`)).toEqual(cannot(expect.stringContaining('ENOTDIR')));
  expect(await problem('true', 'x'.repeat(8_000_000))).toEqual(
    cannot(expect.stringContaining('longer than the system')),
  );
});
