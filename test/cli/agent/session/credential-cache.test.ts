import { expect, test, vi } from 'vitest';
import { CredentialCache, type Entry } from '../../../../cli/agent/session/credential-cache.ts';
import { HeldCredentials } from '../../../../cli/agent/session/held-credentials.ts';
import { RenewalSchedule } from '../../../../cli/agent/session/renewal-schedule.ts';
import { CodeCommitSigner } from '../../../../cli/aws/codecommit/signature.ts';
import { parseRoleArn, type RoleArn } from '../../../../cli/aws/role-arn.ts';

const clock = { time: 0 };
const clocks = { now: () => clock.time, uptime: () => clock.time };

function entry(key: string, expiration = 1000, region = 'us-east-1'): Entry {
  const arn = parseRoleArn('arn:aws:iam::123456789012:role/Some') as RoleArn;
  const secrets = { accessKeyId: key, secretAccessKey: 'secret', sessionToken: 'token' };
  const credentials = new HeldCredentials({ ...secrets, expiration }, clocks);
  return { key, chain: { role: arn }, region, credentials, schedule: new RenewalSchedule(expiration, 0) };
}

const isWiped = ({ credentials }: Entry) => {
  try {
    credentials.reveal();
    return false;
  } catch {
    return true;
  }
};

test('holds no more than 100, and drops the oldest first', async () => {
  const cache = new CredentialCache();
  const entries = Array.from({ length: 103 }, (_, n) => entry(`role ${n}`));
  for (const one of entries) cache.put(one);
  expect(cache.all()).toEqual(entries.slice(3));
  await vi.waitFor(() => expect(entries.map(isWiped)).toEqual(entries.map((_, n) => n < 3)));
});

test('what is replaced, or over, is gone; a caller that just got it can read it for a moment', async () => {
  const cache = new CredentialCache();
  const [first, second, other] = [entry('role'), entry('role', 2000), entry('other', 500)];
  for (const one of [first, other, second]) cache.put(one);
  expect(cache.find('role', 'us-east-1')).toBe(second);
  expect(first.credentials.reveal().secretAccessKey).toBe('secret');
  await vi.waitFor(() => expect(isWiped(first)).toBe(true));
  clock.time = 500;
  expect(cache.all()).toEqual([second]);
  await vi.waitFor(() => expect(isWiped(other)).toBe(true));
  expect(isWiped(second)).toBe(false);
  clock.time = 0;
});

test('finds those of a region, or of any the ones that last longest', () => {
  const cache = new CredentialCache();
  const [here, there] = [entry('role', 1000), entry('role', 2000, 'eu-west-1')];
  cache.put(there);
  cache.put(here);
  expect(cache.find('role', 'us-east-1')).toBe(here);
  expect(cache.find('role', undefined)).toBe(there);
  expect(cache.find('role', 'eu-west-2')).toBeUndefined();
  expect(cache.find('other', undefined)).toBeUndefined();
});

test('dropped, nothing can be read any more, nor signed with', async () => {
  const cache = new CredentialCache();
  const one = entry('role');
  cache.put(one);
  cache.drop();
  expect(isWiped(one)).toBe(true);
  expect(cache.all()).toEqual([]);
  const request = { host: 'git-codecommit.us-east-1.amazonaws.com', region: 'us-east-1', path: 'v1/repos/a', at: 0 };
  await expect(one.credentials.derived(CodeCommitSigner).sign(request)).rejects.toThrow('The secret was dropped.');
});
