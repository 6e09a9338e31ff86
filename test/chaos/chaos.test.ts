import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { dropSession } from '../../cli/agent/client/requests.ts';
import { Random } from '../support/random.ts';
import { type Attempt, type Channel, channels, requestCredentials } from './attempt.ts';
import { disturb, disturbances, silences } from './disturbances.ts';
import { watchSts } from './sts-calls.ts';
import { longestWait, type Span, violations } from './verdict.ts';
import { startWorld, type World } from './world.ts';

/** The chaos lasts at least this long, in milliseconds. */
const duration = 60_000;

const workers = 50;

/** How long each role's credentials last, in seconds: some must be fetched all the time, and some are always about to expire. */
const lifetimes = [3600, 75, 68, 20, 12];

/** How many more files an agent may have open at the end: connections kept for the next request. */
const moreFiles = 8;

let world: World;
const random = Random.seeded('VOUCH_CHAOS_SEED');

beforeAll(async () => {
  world = await startWorld(lifetimes.length);
  world.aws.lifetime = (role) => lifetimes[world.roles.findIndex(({ arn }) => arn === role)] ?? 3600;
});
afterAll(() => world?.close());

test('whatever breaks: no wrong credentials, no endless wait, no STS call too many, and afterwards all works', async () => {
  const { calls, intercept } = watchSts();
  world.aws.intercept = intercept;
  await world.logIn();
  for (const role of world.roles) await askFor(role, 'http');
  const filesAtFirst = await world.agentFiles();

  const begun = Date.now();
  const diary: string[] = [];
  const note = (what: string) => diary.push(`${((Date.now() - begun) / 1000).toFixed(2)} s: ${what}`);
  const attempts: Attempt[] = [];
  const unsettled: Span[] = [];
  const signedOut: Span[] = [];
  const stopped = new AbortController();
  const busy = Array.from({ length: workers }, (_, number) => work(number, attempts, stopped.signal));

  const newAgent = async (why: string, lasts?: number) => {
    note(`the agent is killed, and ${why}`);
    const from = Date.now();
    await world.killAgent();
    const end = await world.logIn(lasts);
    unsettled.push({ from, to: Date.now() });
    note('the person is signed in again');
    return end;
  };

  const chosen = random.shuffled(disturbances);
  const half = Math.ceil(chosen.length / 2);
  await disturb(world, random, chosen.slice(0, half), note);

  // STS falls silent before the next agent holds any credentials, for longer than a request may wait.
  const silence = random.pick(silences);
  await silence.begin(world);
  await newAgent(`for long: ${silence.name}`);
  await wait(longestWait + 2500);
  await silence.end(world);
  note('the long silence is over');

  await disturb(world, random, chosen.slice(half), note);

  // A session ends while it is in use, and the person does not sign in for a while.
  const end = await newAgent('the next session is a short one', 4000);
  await wait(end - Date.now());
  note('the session is over');
  await wait(2500);
  signedOut.push({ from: end, to: Date.now() });
  await world.logIn();
  unsettled.push({ from: end, to: Date.now() });
  note('the last session begins');

  while (Date.now() - begun < duration) await disturb(world, random, [random.pick(disturbances)], note);

  note('all is up again');
  const everything = () => Promise.all(world.roles.flatMap((role) => channels.map((channel) => askFor(role, channel))));
  const next = await everything();
  stopped.abort();
  await Promise.all(busy);
  const filesAtLast = filesAtFirst === undefined ? undefined : await filesOnceFew(filesAtFirst + moreFiles);
  await dropSession(world.env);
  signedOut.push({ from: Date.now(), to: Number.POSITIVE_INFINITY });
  unsettled.push({ from: Date.now(), to: Number.POSITIVE_INFINITY });
  note('the session has been dropped');
  const last = await everything();

  const given = attempts.filter((one) => one.given);
  const longest = Math.max(...[...attempts, ...next].map(({ waited }) => waited));
  process.stdout.write(
    `${attempts.length} requests, ${given.length} with credentials, the longest after ${(longest / 1000).toFixed(1)} s; ` +
      `${calls.length} STS calls; ${diary.length} entries in the diary; files ${filesAtFirst}, at last ${filesAtLast}\n`,
  );
  const found = violations(world, { begun, attempts: [...attempts, ...next, ...last], calls, unsettled, signedOut });
  const story = [...found.slice(0, 40), `${found.length} in all. The diary:`, ...diary].join('\n');
  expect(found, story).toEqual([]);
  expect(
    next.filter((one) => !one.given).map(({ channel, role, refused }) => [channel, role.profile, refused]),
    story,
  ).toEqual([]);
  expect(last.filter((one) => one.given)).toEqual([]);
  if (filesAtFirst !== undefined) expect(filesAtLast).toBeLessThanOrEqual(filesAtFirst + moreFiles);
  // There was chaos indeed: many attempts got credentials, and many failed.
  for (const channel of channels)
    expect(given.filter((one) => one.channel === channel).length, channel).toBeGreaterThan(10);
  expect(attempts.filter(({ refused }) => refused?.category === 'unreachable').length).toBeGreaterThan(20);
  expect(calls.filter(({ answered }) => answered).length).toBeGreaterThan(50);
}, 240_000);

function askFor(role: World['roles'][number], channel: Channel, choices = random): Promise<Attempt> {
  const host = choices.pick(['git-codecommit', 'git-codecommit-fips']);
  const path = `v1/repos/repository-${choices.between(1, 20)}`;
  return requestCredentials(world, channel, role, { host: `${host}.us-east-1.amazonaws.com`, path });
}

/** Asks again and again, with pauses. The helper starts a handful of processes each time, so few workers use it. */
async function work(number: number, attempts: Attempt[], stopped: AbortSignal): Promise<void> {
  const choices = new Random(random.seed + number);
  const channel: Channel = number < 2 ? 'script' : number % 2 === 0 ? 'git' : 'http';
  for (;;) {
    await wait(choices.between(100, 1500));
    if (stopped.aborted) return;
    attempts.push(await askFor(choices.pick(world.roles), channel, choices));
  }
}

/** How many files the agent has open: once they are few again, or after 10 seconds. */
async function filesOnceFew(few: number): Promise<number | undefined> {
  await vi
    .waitUntil(async () => ((await world.agentFiles()) ?? 0) <= few, { timeout: 10_000, interval: 200 })
    .catch(() => {});
  return world.agentFiles();
}
