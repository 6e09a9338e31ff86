import { expect, onTestFinished, test } from 'vitest';
import { FRESH_MS } from '../../../server/signing/lifetimes.ts';
import { StoreUnavailable } from '../../../server/store/unavailable.ts';
import { enrolPerson, SignIn, signIn, startServer } from '../support.ts';

const ROLE = 'arn:aws:iam::123456789012:role/VouchDeveloper';

test('a server that has not seen the keys for long publishes and signs nothing, and goes on by itself', async () => {
  let moved = 0;
  const server = await startServer({}, { elapsed: () => performance.now() + moved });
  onTestFinished(server.close);
  const { key } = await enrolPerson(server);
  const { client, access_token } = await signIn(server.origin, key);
  const page = await SignIn.open(server.origin);
  const code = await page.code(key);
  const ask = async () => {
    const responses = [
      await fetch(`${server.origin}/jwks`),
      await fetch(`${server.origin}/.well-known/openid-configuration`),
      await client.api('POST', '/api/aws/token', access_token, { body: { role: ROLE } }),
    ];
    return responses.map(({ status, headers }) => [status, headers.get('cache-control'), headers.get('retry-after')]);
  };
  const { keys } = server.context;
  const { refresh } = keys;
  keys.refresh = () => Promise.reject(new StoreUnavailable('the database is away', 5));
  moved = FRESH_MS;
  expect(await ask()).toEqual(Array(3).fill([503, 'no-store', '5']));
  expect((await page.client.redeem(code)).status).toBe(503);
  keys.refresh = refresh;
  expect(await ask()).toEqual([
    [200, 'public, max-age=300', null],
    [200, 'public, max-age=300', null],
    [200, 'no-store', null],
  ]);
  expect((await page.client.redeem(code)).status).toBe(200);
});
