import { expect, onTestFinished, test } from 'vitest';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import { migrations } from '../../../server/store/migrations/index.ts';
import { makeDatabase, openStore, runStatements } from '../engines.ts';
import { vouchServer } from '../program.ts';

const all = Object.keys(migrations);

async function newInstallation() {
  const { settings, drop } = await makeDatabase(undefined, 'empty');
  onTestFinished(drop);
  const environment = { VOUCH_ISSUER: 'http://localhost:3000', ...settings };
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await vouchServer(['migrate', ...args], environment);
    return { code, stderr, ...(args.includes('--json') && stderr === '' ? { json: JSON.parse(stdout) } : { stdout }) };
  };
  return { url: settings.VOUCH_DATABASE_URL, environment, run };
}

/** What a newer version leaves behind. @param oldest the last migration that a server must know */
const newer = (oldest: string) => [
  `insert into kysely_migration values ('9998_newer', '2030-01-01T00:00:00.000Z')`,
  `update schema_version set oldest = '${oldest}'`,
];

test('migrate makes the schema once, and --check says before and after what there is to do', async () => {
  const { url, run } = await newInstallation();
  expect(await run('--check', '--json')).toEqual({ code: 1, stderr: '', json: { pending: all, newer: [] } });
  expect(await run('--check')).toMatchObject({ code: 1, stdout: expect.stringContaining(' to do: 0001_initial, ') });
  expect(await run('--json')).toEqual({ code: 0, stderr: '', json: { done: all, pending: [], newer: [] } });
  expect(await run('--check', '--json')).toEqual({ code: 0, stderr: '', json: { pending: [], newer: [] } });
  expect(await run()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^The schema of .* is up to date\.\n$/) });
  const store = await openStore(url);
  expect(await store.selectFrom('server').selectAll().execute()).toEqual([]);
});

test('this version can use a schema to which a newer one has only added', async () => {
  const { url, environment, run } = await newInstallation();
  await run();
  await runStatements(url, ...newer(all.at(-1) ?? ''));
  expect(await run('--check', '--json')).toMatchObject({ code: 0, json: { pending: [], newer: ['9998_newer'] } });
  const store = await openStore(url);
  await store
    .insertInto('server')
    .values({ id: 1, issuer: environment.VOUCH_ISSUER, written_at: 1, aws_issuer: null })
    .execute();
  expect((await vouchServer(['people', 'list'], environment)).code).toBe(0);
  expect(await store.selectFrom('schema_version').select('oldest').execute()).toEqual([{ oldest: all.at(-1) }]);
});

test('this version refuses a schema from which a newer one has taken what it needs', async () => {
  const { url, environment, run } = await newInstallation();
  await run();
  await runStatements(url, ...newer('9998_newer'));
  for (const args of [['--check'], []]) {
    expect(await run(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('9998_newer') });
  }
  const refused = { kind: 'database-refused', what: expect.stringContaining('newer version') };
  await expect(chooseEngine(url).open()).rejects.toMatchObject(refused);
  await expect(chooseEngine(url).openExisting()).rejects.toMatchObject(refused);
  expect((await vouchServer(['people', 'list'], environment)).code).toBe(2);
});
