import { expect, onTestFinished, test } from 'vitest';
import { awsCredentials, putSession } from '../../../../cli/agent/client/requests.ts';
import { startIssuer, trustIssuer } from '../../../aws/fixtures.ts';
import { startLocalAws } from '../../../aws/start.ts';
import { json, newSession, role } from '../../support.ts';
import { agent, hour } from '../support.ts';

/** An agent whose server lets it ask for 12 hours, at an AWS that decides itself. */
async function withLocalAws() {
  const [the, issuer] = [await agent(), await startIssuer()];
  const aws = await startLocalAws({ folder: the.folder });
  onTestFinished(async () => {
    await aws.close();
    await issuer.close();
  });
  the.env.AWS_ENDPOINT_URL_STS = aws.stsUrl;
  await putSession(
    newSession(the.world.url, { expiresAt: new Date(the.clock.now + 24 * hour).toISOString() }),
    the.env,
  );
  const tokens = [await issuer.token(), await issuer.token()];
  the.world.answers.token = (response) => json(response, 200, { token: tokens.pop(), sessionSeconds: 43_200 });
  const hours = async () => {
    const { expiration } = await awsCredentials(role, 'us-east-1', the.env);
    return Math.round((Date.parse(expiration) - Date.now()) / hour);
  };
  return { ...the, aws, issuer, hours };
}

test('a role that allows less than the server gives credentials for an hour, and for longer once it allows that', async () => {
  const the = await withLocalAws();
  trustIssuer(the.aws, the.issuer);
  expect(await the.hours()).toBe(1);
  expect(the.aws.log.map(({ outcome }) => outcome)).toEqual(['ValidationError', 'OK']);
  trustIssuer(the.aws, the.issuer, { maxSessionDuration: 43_200 });
  the.clock.now += 2 * hour;
  expect(await the.hours()).toBe(12);
  expect(the.aws.log.map(({ outcome }) => outcome)).toEqual(['ValidationError', 'OK', 'OK']);
});
