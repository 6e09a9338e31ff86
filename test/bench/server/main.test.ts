import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { succeed } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import type { Row } from '../bench.ts';
import type { Results } from './report.ts';

const folder = temporaryFolder();

test('the bench of the server drives the built server and its peers, and writes what it measured', async () => {
  const json = join(folder, 'bench.json');
  const args = [join(import.meta.dirname, 'main.ts'), '--quick', '--engines', 'sqlite', '--json', json];
  // Its folders are in ours.
  const env = cleanEnvironment({ TMPDIR: folder });
  const { stdout } = await succeed(process.execPath, args, { env });
  expect(stdout).toMatch(/sqlite, 100 people, login: .* p50, p95, p99/);
  const { rows, runs, steps, memory } = JSON.parse(readFileSync(json, 'utf8')) as Results & { rows: Row[] };
  expect(rows.map(({ what }) => what)).toEqual([
    'a login with SQLite and 100 people',
    'the same login',
    'a token for AWS',
    'memory after 50 pushed requests',
  ]);
  for (const { measured } of rows) expect(measured?.median).toBeGreaterThan(0);
  const [run] = runs;
  expect(run?.figures.login.cpu.count).toBe(2);
  expect(run?.figures.login.wait.p99).toBeGreaterThanOrEqual(run?.figures.login.wait.p50 ?? Number.NaN);
  expect(Object.keys(steps?.vouch ?? {})).toEqual(['push', 'authorize', 'options', 'assertion', 'token']);
  expect(Object.keys(steps?.bare ?? {})).toEqual(['push', 'authorize', 'sign in', 'resume', 'token']);
  expect(memory?.megabytes).toHaveLength(11);
});
