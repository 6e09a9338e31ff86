import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Listed } from '../../../../cli/completion/values.ts';
import { completionWords } from '../../../../cli/vouch/commands/completion-words.ts';
import { startServer, type TestServer } from '../../../server/support.ts';
import { personWithTwoKeys } from '../../account/person.ts';
import { machine, role, runCommand, setUpProfile } from '../../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const words = (env: NodeJS.ProcessEnv, kind: Listed) => runCommand(env, (io) => completionWords(kind, {}, io));

test('keys and sessions are the person’s own', async () => {
  const { env } = await personWithTwoKeys(server);
  expect(await words(env, 'keys')).toEqual({ code: 0, stdout: 'Security key\nSpare key\n', stderr: '' });
  expect((await words(env, 'sessions')).stdout).toMatch(/^[0-9a-f]{8}\n\S+\n$/);
});

test('profiles and roles are those of AWS’s config file, each once', async () => {
  const the = machine();
  setUpProfile(the, 'one');
  setUpProfile(the, 'two');
  expect((await words(the.env, 'profiles')).stdout).toBe('one\ntwo\n');
  expect((await words(the.env, 'roles')).stdout).toBe(`${role}\n`);
});

test('what cannot be found is no error', async () => {
  const the = machine();
  for (const kind of ['profiles', 'roles', 'keys', 'sessions', 'lends'] as const) {
    expect(await words(the.env, kind)).toEqual({ code: 0, stdout: '', stderr: '' });
  }
});
