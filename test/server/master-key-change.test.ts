import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ServerProcess, startProgram, vouchServer } from './program.ts';
import { localSettings, MASTER_KEY } from './settings.ts';
import { SoftKey } from './soft-key.ts';
import { Enrolment, jsonOf, signIn } from './support.ts';

test('the master key is changed while the server runs: no session ends, and after a restart only the new one opens the keys', async () => {
  const folder = temporaryFolder();
  const [file, newFile] = [join(folder, 'master-key'), join(folder, 'master-key.new')];
  writeFileSync(file, MASTER_KEY, { mode: 0o600 });
  writeFileSync(newFile, Buffer.from(MASTER_KEY, 'base64').reverse().toString('base64'), { mode: 0o600 });
  const settings = { ...(await localSettings(join(folder, 'vouch.db'))), VOUCH_MASTER_KEY_FILE: file };
  const origin = settings.VOUCH_ISSUER;
  const published = async () => (await fetch(`${origin}/jwks`)).json();

  const server = await ServerProcess.start(settings);
  const { stdout: invited } = await vouchServer(['invite', 'alice@example.com', '--json'], settings);
  const person = new SoftKey(origin);
  const enrolment = await Enrolment.open(origin, (JSON.parse(invited) as { code: string }).code);
  await jsonOf(await enrolment.register(person));
  const { client, access_token } = await signIn(origin, person);
  const before = await published();

  const changed = await vouchServer(['master-key', 'rewrap', '--new-key-file', newFile], settings);
  expect(changed).toMatchObject({ code: 0, stderr: '' });
  expect(changed.stdout).toMatch(/^Encrypted 1 signing key under the new master key\.$/m);
  // With what it has in memory.
  await signIn(origin, person);
  await server.end('SIGTERM');

  const refused = await vouchServer(['serve'], settings);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('is not the one it was made with') });
  renameSync(newFile, file);
  await startProgram(settings);
  expect(await published()).toEqual(before);
  await jsonOf(await client.api('GET', '/api/session', access_token));
  await signIn(origin, person);
  expect(readFileSync(file, 'utf8')).not.toBe(MASTER_KEY);
});
