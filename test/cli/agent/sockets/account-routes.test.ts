import { expect, test } from 'vitest';
import { renameKey } from '../../../../cli/agent/client/account-requests.ts';
import { askAgent } from '../../../../cli/agent/client/ask-agent.ts';
import { agentStatus } from '../../../../cli/agent/client/requests.ts';
import { version } from '../../../../cli/programs.ts';
import { say } from '../../support.ts';
import { agent, signedIn } from '../support.ts';

test.each([
  ['PATCH /account/keys', '{"name":"x"}'],
  ['DELETE /account/keys', ''],
  ['DELETE /account/sessions', ''],
  ['DELETE /account/sessions?id=', ''],
  ['DELETE /account/sessions?id=..%2F..%2Fsession', ''],
  ['DELETE /account/keys?id=AAAA%0d%0aX:%20y', ''],
  [`DELETE /account/keys?id=${'A'.repeat(1365)}`, ''],
  ['PATCH /account/keys?id=AAAA', ''],
  ['PATCH /account/keys?id=AAAA', '{"name":7}'],
  ['PATCH /account/keys?id=AAAA', `{"name":"${'x'.repeat(201)}"}`],
  ['PATCH /account/keys?id=AAAA', `{"name":"x","more":"${'x'.repeat(4096)}"}`],
] as const)('%s with %j is refused, and the server is not asked', async (asked, body) => {
  const the = await signedIn();
  await expect(askAgent(the.env, asked, { body })).rejects.toMatchObject({ kind: 'bad-request' });
  expect(the.world.count('account')).toBe(0);
});

test('an ID and a name go to the server as they are', async () => {
  const the = await signedIn();
  const name = 'Größe "5"\u202e';
  await expect(renameKey('A-_9', name, the.env)).rejects.toMatchObject({ kind: 'not-found' });
  expect(the.world.calls.at(-1)?.body).toBe(JSON.stringify({ name }));
});

test('without a session they say so, and nobody is asked', async () => {
  const the = await agent();
  await expect(askAgent(the.env, 'GET /account/keys')).rejects.toMatchObject({ kind: 'no-session', exitCode: 3 });
  expect(the.world.calls).toEqual([]);
});

test('what only a newer version asks for is answered with what to do', async () => {
  const the = await signedIn();
  await expect(askAgent(the.env, 'POST /account/keys')).rejects.toMatchObject({
    kind: 'other-version',
    what: expect.stringContaining(`version ${version}`),
    fix: expect.stringMatching(/^Run `vouch login`/),
  });
  expect(await say(the.agentSocket, 'GET /nothing HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 404 /);
  expect((await agentStatus(the.env)).session).not.toBe(null);
});
