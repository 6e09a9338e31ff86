import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { machine } from '../cli/support.ts';
import { endLeftBehind } from './left-behind.ts';

test('a process that outlives the tests is found by its environment, command line or working folder, named and ended', async () => {
  const { folder } = machine();
  const [tests, other] = [join(folder, 'tests'), join(folder, 'tests-of-others')];
  for (const path of [tests, other]) mkdirSync(path);
  const program = 'console.log(1); setInterval(() => {}, 1e6)';
  const start = (env: NodeJS.ProcessEnv, args: string[] = [], cwd = '/') =>
    spawn(process.execPath, ['-e', program, ...args], { env, cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const left = [start({ HOME: join(tests, 'home') }), start({}, [join(tests, 'x')]), start({}, [], tests)];
  const stays = start({ TMPDIR: tests }, [join(other, 'x')]);
  await Promise.all([...left, stays].map((child) => once(child.stdout, 'data')));
  const ended = left.map((child) => once(child, 'exit'));
  const found = await endLeftBehind(tests, 0);
  expect(found.map(({ pid }) => pid).sort()).toEqual(left.map(({ pid }) => pid).sort());
  for (const { command } of found) expect(command).toContain('setInterval');
  expect(await Promise.all(ended)).toEqual(Array(3).fill([null, 'SIGKILL']));
  expect([stays.exitCode, stays.signalCode]).toEqual([null, null]);
  stays.kill('SIGKILL');
  expect(await endLeftBehind(tests, 0)).toEqual([]);
});
