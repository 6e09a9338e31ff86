import { expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startProgram, vouchServer } from './program.ts';
import { localSettings } from './settings.ts';
import { SoftKey } from './soft-key.ts';
import { callbackOf, Enrolment, expectOAuthError, expectProblem, jsonOf, SignIn, signIn } from './support.ts';

async function invitation(settings: Record<string, string>, email: string): Promise<string> {
  const { stdout } = await vouchServer(['invite', email, '--json'], settings);
  return (JSON.parse(stdout) as { code: string }).code;
}

test('kill -9 right after an enrolment was confirmed: after a restart the key signs in', async () => {
  const settings = await localSettings();
  const origin = settings.VOUCH_ISSUER;
  const first = await startProgram(settings);
  const code = await invitation(settings, 'alice@example.com');
  const key = new SoftKey(origin);
  const enrolment = await Enrolment.open(origin, code);
  await jsonOf(await enrolment.register(key));
  await first.end('SIGKILL');

  await startProgram(settings);
  const { client, access_token } = await signIn(origin, key);
  expect(await jsonOf(await client.api('GET', '/api/session', access_token))).toMatchObject({
    email: 'alice@example.com',
  });
  const status = await enrolment.browser.post('/enroll/status', { poll: enrolment.poll });
  expect(await jsonOf(status)).toMatchObject({ state: 'done' });
  await expectProblem(await enrolment.browser.post('/enroll/start', { invitation: code }), 403, 'invitation-refused');
});

test('kill -9 between any two steps: a server that starts afterwards goes on, and what was used stays used', async () => {
  const settings = await localSettings();
  const origin = settings.VOUCH_ISSUER;
  let server = await startProgram(settings);
  const restart = async () => {
    await server.end('SIGKILL');
    server = await startProgram(settings);
  };
  const enrolment = await Enrolment.open(origin, await invitation(settings, 'bob@example.com'));
  const creation = await enrolment.options();
  await restart();
  const key = new SoftKey(origin);
  await jsonOf(await enrolment.post('verify', key.create(creation)));

  const page = await SignIn.open(origin);
  const options = await page.options();
  await restart();
  const assertion = key.get(options);
  const code = (await callbackOf(await page.post('verify', assertion))).searchParams.get('code') ?? '';
  await restart();
  await expectProblem(await page.post('verify', assertion), 410, 'interaction-over');
  const proof = await page.client.proof('POST', '/token');
  const { access_token } = await jsonOf<{ access_token: string }>(await page.client.redeem(code, {}, proof));
  const used = await page.client.proof('GET', '/api/session', { token: access_token });
  await jsonOf(await page.client.api('GET', '/api/session', access_token, { proof: used }));
  await restart();
  const replayed = await page.client.api('GET', '/api/session', access_token, { proof: used });
  await expectProblem(replayed, 401, 'token-refused');
  await jsonOf(await page.client.api('GET', '/api/session', access_token));
  await expectOAuthError(await page.client.redeem(code), 400, 'invalid_grant');
  await expectProblem(await page.client.api('GET', '/api/session', access_token), 401, 'session-over', {
    reason: 'code-replayed',
  });
});

test('two servers on one database look like one server to their clients', async () => {
  const settings = await localSettings();
  const origin = settings.VOUCH_ISSUER;
  const port = await freePort();
  await startProgram(settings);
  await startProgram({ ...settings, VOUCH_LISTEN: `127.0.0.1:${port}` });
  const key = new SoftKey(origin);
  const enrolment = await Enrolment.open(origin, await invitation(settings, 'carol@example.com'));
  await jsonOf(await enrolment.register(key));
  const { client, access_token } = await signIn(origin, key);

  // A proof that one server has accepted is refused by the other.
  const proof = await client.proof('GET', '/api/session', { token: access_token });
  const { request } = await import('node:http');
  const ask = (at: number) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: new URL(origin).host, authorization: `DPoP ${access_token}`, dpop: proof };
      const sent = request({ host: '127.0.0.1', port: at, path: '/api/session', headers }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      });
      sent.once('error', reject);
      sent.end();
    });
  const own = Number(new URL(origin).port);
  const statuses = await Promise.all([ask(own), ask(port), ask(own), ask(port)]);
  expect(statuses.sort()).toEqual([200, 401, 401, 401]);
});
