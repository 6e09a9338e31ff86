import { expect, test } from 'vitest';
import { agentStatus, awsCredentials, profileCredentials } from '../../../../cli/agent/client/requests.ts';
import { gitRequest, json, lines, role, setUpChain, setUpProfile } from '../../support.ts';
import { hour, signedIn, viaGit } from '../support.ts';

const minute = 60_000;

type SignedIn = Awaited<ReturnType<typeof signedIn>>;

const userOf = async (the: SignedIn, request?: string) => lines(await viaGit(the, request)).username;

/** Lets time pass, minute by minute, and has the agent look at the clock in each. */
async function pass(the: SignedIn, minutes: number, each = async () => {}): Promise<void> {
  for (let n = 0; n < minutes; n++) {
    the.clock.now += minute;
    await each();
    await the.running.agent.renewDue();
  }
}

/** The requests that STS has not answered yet, and a promise of the next one. */
function holdBack(the: SignedIn) {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  the.world.answers.sts = () => resolve();
  return asked;
}

test('a day with a fetch a minute takes 10 STS calls a role at most, and none after the session has ended', async () => {
  const the = await signedIn();
  setUpProfile(the, 'prod', `${role}-prod`);
  setUpChain(the, 'team', 'vouch', `${role}-team`);
  // As STS does: for the requested duration.
  the.world.expiration = (request) => the.clock.now + Number(request.get('DurationSeconds')) * 1000;
  const calls = (arn: string) => the.world.calls.filter(({ query }) => query?.get('RoleArn') === arn).length;
  const profiles = ['prod', 'team'];
  const fetchAll = () => Promise.all(profiles.map((name) => userOf(the, `${gitRequest}username=${name}\n`)));
  const users = new Set(await fetchAll());
  await pass(the, 8 * 60 - 1, async () => {
    for (const user of await fetchAll()) users.add(user);
  });
  expect(users).not.toContain(undefined);
  for (const arn of [role, `${role}-prod`, `${role}-team`]) {
    expect(calls(arn)).toBeGreaterThanOrEqual(arn === role ? 4 : 9);
    expect(calls(arn)).toBeLessThanOrEqual(10);
  }
  const before = the.world.calls.length;
  await pass(the, 60, async () => {
    expect(await fetchAll()).toEqual([undefined, undefined]);
  });
  expect(the.world.calls.length).toBe(before);
}, 30_000);

test('credentials are renewed from 10 minutes before their end, by the clock alone, once', async () => {
  const the = await signedIn();
  const first = await userOf(the);
  the.clock.now += 50 * minute - 1;
  await the.running.agent.renewDue();
  expect(the.world.count('sts')).toBe(1);
  the.clock.now += 2 * minute + 1;
  await Promise.all(Array.from({ length: 20 }, () => the.running.agent.renewDue()));
  expect([the.world.count('token'), the.world.count('sts')]).toEqual([2, 2]);
  expect(await userOf(the)).not.toBe(first);
  await the.running.agent.renewDue();
  expect(the.world.count('sts')).toBe(2);
});

test('the agent reads the clock by itself', async () => {
  const the = await signedIn({ interval: 5 });
  await viaGit(the);
  const asked = holdBack(the);
  the.clock.now += 55 * minute;
  await asked;
});

test('nobody waits for a renewal while the cached credentials are valid for another minute', async () => {
  const the = await signedIn();
  const first = await userOf(the);
  const asked = holdBack(the);
  the.clock.now += 53 * minute;
  const users = await Promise.all(Array.from({ length: 200 }, () => userOf(the)));
  await asked;
  the.clock.now += 6 * minute - 1;
  expect(new Set([...users, await userOf(the)])).toEqual(new Set([first]));
  expect((await awsCredentials(role, 'us-east-1', the.env)).accessKeyId).toBe(first?.split('%')[0]);
  expect(the.world.count('sts')).toBe(2);
});

test('a caller that comes when too little is left waits for the renewal under way, and causes none', async () => {
  const the = await signedIn();
  const first = await userOf(the);
  const { promise: asked, resolve } = Promise.withResolvers<() => void>();
  the.world.answers.token = (response) => resolve(() => json(response, 200, { token: 'id.token.x' }));
  the.clock.now += 53 * minute;
  expect(await userOf(the)).toBe(first);
  const answer = await asked;
  the.clock.now += 6 * minute + 30_000;
  const waiting = [userOf(the), userOf(the)];
  // The agent answers this after it has taken those two, so they wait by now.
  await agentStatus(the.env);
  answer();
  const [second, third] = await Promise.all(waiting);
  expect(second).toMatch(/^ASIA/);
  expect(second).not.toBe(first);
  expect(third).toBe(second);
  expect([the.world.count('token'), the.world.count('sts')]).toEqual([2, 2]);
});

test.each([
  ['the server', 'token'],
  ['STS', 'sts'],
] as const)('with %s down, what is in hand is served to its end, with tries that grow rarer', async (_, what) => {
  const the = await signedIn();
  const first = await userOf(the);
  the.world.answers[what] = (response) => response.writeHead(503).end();
  await pass(the, 59, async () => {
    expect(await userOf(the)).toBe(first);
  });
  const tries = the.world.count('token') - 1;
  expect(tries).toBeGreaterThanOrEqual(4);
  expect(tries).toBeLessThanOrEqual(9);
  // Little, but better than nothing.
  the.clock.now += 30_000;
  expect(await userOf(the)).toBe(first);
  the.clock.now += 30_000;
  expect(await userOf(the)).toBeUndefined();
  the.world.answers = {};
  expect(await userOf(the)).toMatch(/^ASIA/);
});

test('a renewal that failed is not tried again at once, and then succeeds', async () => {
  const the = await signedIn();
  const first = await userOf(the);
  the.world.answers.token = (response) => json(response, 503, {});
  the.clock.now += 53 * minute;
  for (let n = 0; n < 20; n++) await Promise.all([userOf(the), the.running.agent.renewDue()]);
  expect(the.world.count('token')).toBe(2);
  the.world.answers = {};
  the.clock.now += 15_000;
  await the.running.agent.renewDue();
  expect(await userOf(the)).not.toBe(first);
  expect(the.world.count('token')).toBe(3);
});

test('nothing is renewed for a role that nobody has used for an hour', async () => {
  const the = await signedIn();
  await viaGit(the);
  await pass(the, 5 * 60);
  // The one renewal is within an hour of the use.
  expect(the.world.count('sts')).toBe(2);
  expect((await agentStatus(the.env)).credentials).toEqual([]);
  expect(await userOf(the)).toMatch(/^ASIA/);
});

test('credentials that need several renewals within the hour get them', async () => {
  const the = await signedIn();
  the.world.expiration = () => the.clock.now + 15 * minute;
  await viaGit(the);
  await pass(the, 59);
  expect((await agentStatus(the.env)).credentials).toHaveLength(1);
  await pass(the, 60);
  expect((await agentStatus(the.env)).credentials).toEqual([]);
});

test('the source of a chained role is not renewed unless it is used directly', async () => {
  const the = await signedIn();
  setUpChain(the, 'team', 'vouch', `${role}-team`);
  await profileCredentials('team', { region: 'us-east-1' }, the.env);
  await pass(the, 55);
  const roles = the.world.calls.flatMap(({ query }) => query?.get('RoleArn') ?? []);
  expect(roles).toEqual([role, `${role}-team`, `${role}-team`]);
});

test('after a sleep past their end nothing old is given out', async () => {
  const the = await signedIn();
  const first = await userOf(the);
  the.clock.now += 3 * hour;
  const second = await userOf(the);
  expect(second).toMatch(/^ASIA/);
  expect(second).not.toBe(first);
});

test('what lasts as long as the session is not renewed, and is good to its end', async () => {
  const the = await signedIn();
  the.clock.now += 7 * hour + 30 * minute;
  the.world.expiration = () => the.clock.now + 30 * minute - 900;
  const first = await userOf(the);
  await pass(the, 29);
  the.clock.now += 50_000;
  expect(await userOf(the)).toBe(first);
  expect(the.world.count('sts')).toBe(1);
});

test('short-lived credentials are not renewed all the time', async () => {
  const the = await signedIn();
  the.world.expiration = () => the.clock.now + 15 * minute;
  await viaGit(the);
  await pass(the, 60, async () => {
    await viaGit(the);
  });
  expect(the.world.count('sts')).toBeLessThanOrEqual(7);
});

test('a server that no longer takes the session ends it, and the cached credentials are dropped', async () => {
  const the = await signedIn();
  await viaGit(the);
  the.world.answers.token = (response) => json(response, 401, { type: 'urn:vouch:problem:session-over', title: 'No.' });
  the.clock.now += 53 * minute;
  await the.running.agent.renewDue();
  expect(await agentStatus(the.env)).toMatchObject({ session: null, credentials: [] });
  await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
    kind: 'session-over',
    what: 'Your session is over.',
  });
});
