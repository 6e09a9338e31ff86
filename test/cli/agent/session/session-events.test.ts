import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { agentLogs, agentStatus, awsCredentials, gitCredentials } from '../../../../cli/agent/client/requests.ts';
import { Log } from '../../../../cli/agent/log.ts';
import { importAccess } from '../../../../cli/agent/session/access-token.ts';
import { Lifetime } from '../../../../cli/agent/session/lifetime.ts';
import { SessionEvents, type SessionEventsOptions } from '../../../../cli/agent/session/session-events.ts';
import { type Timeouts, usualTimeouts } from '../../../../cli/agent/session/timeouts.ts';
import { session as sessionCheck } from '../../../../cli/doctor/checks/session.ts';
import { answer } from '../../../../cli/git-credential-vouch/answer.ts';
import type { Problem } from '../../../../cli/problem/problem.ts';
import { credentialAws } from '../../../../cli/vouch/commands/credential.ts';
import { status } from '../../../../cli/vouch/commands/status.ts';
import {
  captured,
  gitRequest,
  installHelper,
  json,
  newSession,
  role,
  root,
  run,
  runCommand,
  type Services,
  services,
} from '../../support.ts';
import { agent, hour, signedIn, viaGit } from '../support.ts';

const ever = 2 ** 31 - 1;

/** The streams of a world, in the order in which they were opened, each with its head sent. */
function streamsOf(world: Services): { next: () => Promise<ServerResponse> } {
  const opened: ServerResponse[] = [];
  const waiting: ((response: ServerResponse) => void)[] = [];
  world.answers.events = (response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
    const first = waiting.shift();
    if (first) first(response);
    else opened.push(response);
  };
  return {
    next: async () => {
      const first = opened.shift();
      return first ?? new Promise((resolve) => waiting.push(resolve));
    },
  };
}

const say = (stream: ServerResponse, event: object) => stream.write(`${JSON.stringify(event)}\n`);
const closed = (stream: ServerResponse) =>
  new Promise<void>((resolve) => (stream.closed ? resolve() : stream.once('close', resolve)));

/** The events of one session, without an agent around them. */
async function listener(timeouts: Partial<Timeouts> = {}, more: Partial<SessionEventsOptions> = {}) {
  const world = await services();
  const clock = { now: Date.now(), up: 0 };
  const clocks = { now: () => clock.now, uptime: () => clock.up };
  const lifetime = new Lifetime(clock.now + 8 * hour, clocks);
  onTestFinished(() => lifetime.drop());
  const [log, refusals] = [new Log(), [] as Problem[]];
  const events = new SessionEvents({
    access: await importAccess(newSession(world.url)),
    lifetime,
    clocks,
    timeouts: { ...usualTimeouts, firstReopening: 1, longestReopening: 4, ...timeouts },
    log,
    onRefused: (why) => refusals.push(why),
    ...more,
  });
  return { world, clock, lifetime, log, refusals, events, host: new URL(world.url).host };
}

/** A listener with the usual times, whose pauses take no time but are noted, each at its ceiling. */
async function paused() {
  const pauses: number[] = [];
  const pause = async (milliseconds: number) => {
    pauses.push(milliseconds);
    // Other things come first, as in a real pause.
    await new Promise(setImmediate);
  };
  const { firstReopening, longestReopening } = usualTimeouts;
  return { pauses, ...(await listener({ firstReopening, longestReopening }, { pause, random: (ceiling) => ceiling })) };
}

describe('the agent, told that the session is over', () => {
  async function disabled(event: object = { event: 'over', reason: 'person-disabled', contact: 'it@example.com' }) {
    const the = await agent();
    const streams = streamsOf(the.world);
    await the.running.agent.take(newSession(the.world.url));
    expect(await viaGit(the)).toContain('password=');
    const stream = await streams.next();
    say(stream, event);
    // The agent hangs up when it has dropped the session.
    await closed(stream);
    return { ...the, host: new URL(the.world.url).host };
  }

  test('gives Git no password, although it had credentials, and asks nobody', async () => {
    const the = await disabled();
    const before = the.world.calls.length;
    expect(await viaGit(the)).toBe('');
    expect(await agentStatus(the.env)).toMatchObject({ session: null, credentials: [] });
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind: 'session-over' });
    expect(the.world.calls).toHaveLength(before);
  });

  test("tells why through Git's helper", async () => {
    const the = await disabled();
    const { code, stdout, stderr } = await run(installHelper(the), ['get'], the.env, gitRequest);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'quit=1\n',
      stderr:
        `vouch: Your administrator has disabled your account at ${the.host}.\n` +
        'vouch: Ask your administrator (it@example.com); once it is enabled again, run `vouch login`.\n',
    });
  });

  test.each([
    ['person-disabled', /^vouch: Your administrator .*\nvouch: Ask your administrator; once .*\n$/],
    // Without a server to sign in at, the login fails at once.
    ['key-removed', /^vouch: Vouch does not know your server yet\./],
  ])('lets Git begin a login at a terminal only if that helps: %s', async (reason, told) => {
    const the = await disabled({ event: 'over', reason });
    const { io, out } = captured(the.env);
    await answer(Buffer.from(gitRequest), { ...io, stderr: { ...io.stderr, isTTY: true } });
    expect(out).toEqual({ stdout: 'quit=1\n', stderr: expect.stringMatching(told) });
  });

  test('tells why in `vouch status`, in words and as data', async () => {
    const the = await disabled();
    const { code, stdout } = await runCommand(the.env, (io) => status({}, io));
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /^Session {3}none: Your administrator has disabled your account at .*\.\n {10}Ask your administrator \(it@example\.com\); once /,
    );
    const asJson = await runCommand(the.env, (io) => status({ json: true }, io));
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      session: null,
      ended: { category: 'refused', reason: 'person-disabled', what: expect.any(String), fix: expect.any(String) },
    });
  });

  test('tells why in the variables for the prompt', async () => {
    const the = await disabled();
    const { stdout } = await runCommand(the.env, (io) => status({ format: 'shell' }, io));
    expect(stdout).toContain("VOUCH_SESSION='no'\n");
    expect(stdout).toContain("VOUCH_ENDED='person-disabled'\n");
  });

  test('tells why in `vouch credential aws`', async () => {
    const the = await disabled();
    const { code, stdout, stderr } = await runCommand(the.env, (io) => credentialAws({ role }, io));
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^vouch: Your administrator has disabled your account at /);
  });

  test('tells why to the doctor', async () => {
    const the = await disabled();
    const facts = { agent: await agentStatus(the.env) };
    const visit = { env: the.env, cwd: the.folder, target: undefined, tryRegions: false, facts };
    expect(await sessionCheck.run({ ...visit, signal: new AbortController().signal })).toMatchObject({
      data: { reason: 'person-disabled' },
      findings: [{ id: 'session.ended', severity: 'trouble', steps: [expect.stringContaining('it@example.com')] }],
    });
  });

  test('writes it into the log', async () => {
    const the = await disabled({ event: 'over', reason: 'key-removed' });
    const { entries } = await agentLogs(0, the.env);
    expect(entries.at(-1)).toMatchObject({
      event: 'ended',
      message: expect.stringMatching(/^the session: The security key that you signed in with was removed /),
    });
  });

  test('throws away what it was just asking for', async () => {
    const the = await agent();
    const streams = streamsOf(the.world);
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    the.world.answers.token = async (response) => {
      wasAsked();
      await released;
      json(response, 200, { token: 'idtoken.late.x' });
    };
    await the.running.agent.take(newSession(the.world.url));
    const waiting = viaGit(the);
    await asked;
    const stream = await streams.next();
    say(stream, { event: 'over', reason: 'not-me' });
    await closed(stream);
    release();
    expect(await waiting).toBe('');
    expect(the.world.count('sts')).toBe(0);
  });

  test('serves the next session as ever', async () => {
    const the = await disabled();
    await expect(gitCredentials(Buffer.from(gitRequest), the.env)).rejects.toMatchObject({ reason: 'person-disabled' });
    await the.running.agent.take(newSession(the.world.url));
    expect(await viaGit(the)).toContain('password=');
    const { io, out } = captured(the.env);
    expect(await status({ json: true }, io)).toBe(0);
    expect(JSON.parse(out.stdout)).toMatchObject({ ended: null });
  });
});

describe('a reason', () => {
  const cases: [reason: string, shutOut: boolean, what: RegExp, fix: RegExp][] = [
    [
      'person-disabled',
      true,
      /^Your administrator has disabled your account at HOST\.$/,
      /^Ask your administrator \(it@example\.com\);/,
    ],
    [
      'person-removed',
      true,
      /^Your account at HOST was removed\.$/,
      /ask your administrator \(it@example\.com\) for an invitation/,
    ],
    [
      'end-date',
      true,
      /^Your account at HOST has reached its end date\.$/,
      /ask your administrator \(it@example\.com\) for a later date/,
    ],
    ['key-removed', false, /^The security key that you signed in with was removed /, /another of your keys/],
    [
      'keys-replaced',
      false,
      /^A new security key has replaced those /,
      /with the new key.*tell your administrator \(it@example\.com\)/,
    ],
    [
      'ended-by-person',
      false,
      /^You ended this session from elsewhere\.$/,
      /not you, tell your administrator \(it@example\.com\)/,
    ],
    ['ended-by-administrator', false, /^Your administrator has ended this session\.$/, /^Run `vouch login`/],
    [
      'not-me',
      false,
      /somebody reported "This was not me"/,
      /look at your keys.*tell your administrator \(it@example\.com\)/,
    ],
    ['code-replayed', false, /its sign-in code was used twice\.$/, /tell your administrator \(it@example\.com\)/],
    ['signed-out', false, /^You have signed out of this session\.$/, /^Run `vouch login`/],
    ['expired', false, /^Your session has ended\.$/, /^Run `vouch login`/],
  ];
  test.each(cases)('%s has its own words', async (reason, shutOut, what, fix) => {
    const { world, events, refusals, host } = await listener();
    const streams = streamsOf(world);
    const listening = events.listen();
    say(await streams.next(), { event: 'over', reason, contact: 'it@example.com' });
    await listening;
    expect(refusals).toEqual([
      expect.objectContaining({ kind: 'session-over', category: shutOut ? 'refused' : 'no-session', reason }),
    ]);
    expect(refusals[0]?.what.replace(host, 'HOST')).toMatch(what);
    expect(refusals[0]?.fix).toMatch(fix);
  });

  test.each([
    ['that only a newer server knows', { reason: 'moon-full' }],
    ['that is no text', { reason: { toString: 'x' } }],
    ['that is missing', {}],
  ])('%s ends the session as well', async (_, more) => {
    const { world, events, refusals } = await listener();
    const streams = streamsOf(world);
    const listening = events.listen();
    say(await streams.next(), { event: 'over', ...more });
    await listening;
    expect(refusals).toEqual([
      expect.objectContaining({ kind: 'session-over', category: 'no-session', what: 'Your session is over.' }),
    ]);
    expect(refusals[0]?.reason).toBeUndefined();
  });

  test('and whom to ask cannot harm a terminal, or quote our token; without one it is the administrator', async () => {
    for (const [contact, shown] of [
      ['it\u001b[2J\n@example.com', /^Ask your administrator \(it.\[2J.@example\.com\);/],
      ['access.token.of-alice', /^Ask your administrator \(\[hidden\]\);/],
      ['x'.repeat(1000), /^Ask your administrator \(x{1,300}…?\);/],
      [' ', /^Ask your administrator;/],
      [7, /^Ask your administrator;/],
      [undefined, /^Ask your administrator;/],
    ] as const) {
      const { world, events, refusals } = await listener();
      const streams = streamsOf(world);
      const listening = events.listen();
      say(await streams.next(), { event: 'over', reason: 'person-disabled', contact });
      await listening;
      expect(refusals[0]?.fix).toMatch(shown);
    }
  });

  test('comes with a refusal, too: when the stream is opened, and when a token is asked for', async () => {
    const over = (response: ServerResponse) =>
      json(response, 401, { type: 'urn:vouch:problem:session-over', reason: 'person-removed', contact: 'Ada' });
    const { world, events, refusals, host } = await listener();
    world.answers.events = over;
    await events.listen();
    const expected = {
      kind: 'session-over',
      category: 'refused',
      reason: 'person-removed',
      what: `Your account at ${host} was removed.`,
    };
    expect(refusals).toEqual([expect.objectContaining(expected)]);
    const the = await signedIn();
    the.world.answers.token = over;
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ reason: 'person-removed' });
    expect((await agentStatus(the.env)).ended).toMatchObject({ reason: 'person-removed', category: 'refused' });
  });
});

describe('the stream is opened again', () => {
  const html = (status: number) => (response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html>');
  const problem = (status: number, kind: string) => (response: ServerResponse) =>
    json(response, status, { type: `urn:vouch:problem:${kind}`, title: 'No.' });
  const streaming = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/x-ndjson' });

  test('when it ends, is cut off, or could not be opened, as often as it takes', async () => {
    const { world, events, refusals } = await listener();
    const answers: ((response: ServerResponse) => unknown)[] = [
      (response) => response.destroy(),
      html(200),
      html(404),
      html(502),
      problem(503, 'unavailable'),
      problem(429, 'too-many-requests'),
      problem(400, 'bad-request'),
      (response) => response.writeHead(401).end(),
      (response) => response.writeHead(204).end(),
      (response) => streaming(response).end(),
      (response) => streaming(response).write('{"event":"he', () => response.destroy()),
      (response) => streaming(response).end('x'.repeat(5000)),
      (response) => streaming(response).end('nonsense\n\n[]\nnull\n"over"\n{"event":"news"}\n'),
      (response) => streaming(response).end('{"event":"over"'),
      problem(401, 'session-over'),
    ];
    const left = [...answers];
    world.answers.events = (response) => left.shift()?.(response);
    await events.listen();
    expect(world.count('events')).toBe(answers.length);
    expect(refusals).toHaveLength(1);
  });

  test('after pauses whose ceiling doubles up to a minute, and begins anew once the server was heard', async () => {
    const { world, events, pauses } = await paused();
    const down = problem(503, 'unavailable');
    const left = [
      down,
      down,
      down,
      down,
      down,
      down,
      (response: ServerResponse) => streaming(response).end('{}\n'),
      down,
    ];
    world.answers.events = (response) => (left.shift() ?? problem(401, 'session-over'))(response);
    await events.listen();
    expect(pauses).toEqual([5, 10, 20, 40, 60, 60, 5, 10].map((seconds) => seconds * 1000));
  });

  test('not before the server wants it, which may be ten minutes at most', async () => {
    const { world, events, pauses } = await paused();
    const left = ['7', '601', '999999999999', 'soon'];
    world.answers.events = (response) => {
      const after = left.shift();
      if (after === undefined) problem(401, 'session-over')(response);
      else response.writeHead(503, { 'retry-after': after }).end();
    };
    await events.listen();
    expect(pauses).toEqual([7 + 5, 600 + 10, 600 + 20, 40].map((seconds) => seconds * 1000));
  });

  test('at once when the server asks for it, unless the stream has lasted for only a moment', async () => {
    const { world, clock, events, pauses } = await paused();
    const streams = streamsOf(world);
    const listening = events.listen();
    for (const lasted of [5_000, 4_999, 60_000]) {
      const stream = await streams.next();
      clock.up += lasted;
      say(stream, { event: 'again' });
    }
    say(await streams.next(), { event: 'over' });
    await listening;
    expect(pauses).toEqual([5_000]);
  });

  test('at once when nothing has come for 60 seconds, by either clock, and not before', async () => {
    const { world, clock, events, pauses } = await paused();
    const streams = streamsOf(world);
    const listening = events.listen();
    for (const which of ['now', 'up'] as const) {
      const stream = await streams.next();
      for (let times = 0; times < 3; times++) {
        await heardOn(stream);
        clock.up += 5_000;
        clock[which] += which === 'up' ? 54_999 : 59_999;
        events.check();
      }
      clock[which] += 1;
      events.check();
      await closed(stream);
    }
    say(await streams.next(), { event: 'over' });
    await listening;
    expect(pauses).toEqual([]);
    expect(world.count('events')).toBe(3);
  });

  test('after a pause when it has been silent from the beginning, as behind a proxy that holds lines back', async () => {
    const { world, clock, events, pauses } = await paused();
    const streams = streamsOf(world);
    const listening = events.listen();
    const stream = await streams.next();
    const silent = setInterval(() => {
      clock.now += 60_000;
      events.check();
    }, 1);
    onTestFinished(() => clearInterval(silent));
    await closed(stream);
    clearInterval(silent);
    say(await streams.next(), { event: 'over' });
    await listening;
    expect(pauses).toEqual([5_000]);
  });

  test('when the server does not even begin an answer', async () => {
    const { world, events } = await listener({ call: 50 });
    void events.listen();
    await new Promise<void>((asked) => {
      let times = 0;
      world.answers.events = () => ++times === 3 && asked();
    });
  });
});

/** Sends a sign of life, and waits until the listener has taken note of it. */
async function heardOn(stream: ServerResponse): Promise<void> {
  const parse = vi.spyOn(JSON, 'parse');
  say(stream, { event: 'heartbeat' });
  await vi.waitFor(() => expect(parse.mock.calls.flat()).toContain('{"event":"heartbeat"}'), {
    interval: 1,
    timeout: 30_000,
  });
  parse.mockRestore();
}

test("at Git's request the agent notices that the stream has long been silent: the machine has slept, say", async () => {
  const the = await agent({ timeouts: { ...usualTimeouts, firstReopening: 1, longestReopening: 4 } });
  const streams = streamsOf(the.world);
  await the.running.agent.take(newSession(the.world.url));
  const first = await streams.next();
  await heardOn(first);
  the.clock.now += 60_000;
  expect(await viaGit(the)).toContain('password=');
  await closed(first);
  say(await streams.next(), { event: 'over', reason: 'person-disabled' });
});

describe('nothing more is asked', () => {
  test('of a server that is too old to have events', async () => {
    const { world, events, refusals } = await listener();
    world.answers.events = (response) => json(response, 404, { type: 'urn:vouch:problem:not-found', title: 'No.' });
    await events.listen();
    expect(world.count('events')).toBe(1);
    expect(refusals).toEqual([]);
  });

  test('when the session is dropped, with the stream open or in a pause', async () => {
    for (const open of [true, false]) {
      const { world, events, lifetime, refusals } = await listener({ firstReopening: ever, longestReopening: ever });
      const streams = streamsOf(world);
      const listening = events.listen();
      const stream = await streams.next();
      if (!open) stream.destroy();
      lifetime.drop();
      await listening;
      expect(world.count('events')).toBe(1);
      expect(refusals).toEqual([]);
    }
  });

  test('when the agent ends', async () => {
    const the = await agent();
    const streams = streamsOf(the.world);
    await the.running.agent.take(newSession(the.world.url));
    const stream = await streams.next();
    the.running.end();
    await closed(stream);
  });
});

test('each outage is one line in the log, and its end another', async () => {
  const { world, events, log } = await listener();
  const down = (response: ServerResponse) =>
    json(response, 503, { type: 'urn:vouch:problem:unavailable', title: `Request ${world.count('events')}` });
  const up = (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"event":"alive"}\n');
  const left = [up, up, down, down, down, up, up, down, up];
  world.answers.events = (response) =>
    (left.shift() ?? ((last) => json(last, 401, { type: 'urn:vouch:problem:session-over' })))(response);
  await events.listen();
  const again = { event: 'session', message: 'the server tells again when it is over' };
  expect(log.after(0)).toMatchObject([
    { event: 'retry', message: expect.stringMatching(/^to hear when the session is over: .*Request 3$/) },
    again,
    { event: 'retry', message: expect.stringMatching(/Request 8$/) },
    again,
  ]);
});

test('the time limit is for the beginning of the answer, and not for the stream', async () => {
  const { world, events, lifetime } = await listener({ call: 60_000 });
  const streams = streamsOf(world);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const listening = events.listen();
  const stream = await streams.next();
  await heardOn(stream);
  vi.advanceTimersByTime(600_000);
  await heardOn(stream);
  lifetime.drop();
  await listening;
  expect(world.count('events')).toBe(1);
});

test('a nonce that the server asks for is put into the proof', async () => {
  const { world, events, refusals } = await listener();
  world.answers.events = (response) => {
    world.answers.events = (next) =>
      next.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"event":"over","reason":"not-me"}\n');
    json(response, 401, {}, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n-1' });
  };
  await events.listen();
  expect(refusals).toMatchObject([{ reason: 'not-me' }]);
  expect(world.count('events')).toBe(2);
});

test.each(['open', 'in a pause'])('a stream that is %s keeps no process alive', async (how) => {
  const world = await services();
  const streams = streamsOf(world);
  const at = (path: string) => JSON.stringify(pathToFileURL(join(root, 'cli/agent', path)).href);
  const program = `
    const { importAccess } = await import(${at('session/access-token.ts')});
    const { Lifetime } = await import(${at('session/lifetime.ts')});
    const { SessionEvents } = await import(${at('session/session-events.ts')});
    const { usualTimeouts } = await import(${at('session/timeouts.ts')});
    const { Log } = await import(${at('log.ts')});
    const clocks = { now: Date.now, uptime: () => performance.now() };
    const access = await importAccess(${JSON.stringify(newSession(world.url))});
    const lifetime = new Lifetime(Date.now() + 3600_000, clocks);
    const timeouts = { ...usualTimeouts, firstReopening: ${ever}, longestReopening: ${ever} };
    void new SessionEvents({ access, lifetime, clocks, timeouts, log: new Log(), onRefused() {} }).listen();
    // Alive until its standard input ends.
    process.stdin.resume();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const ended = once(child, 'exit');
  const stream = await streams.next();
  if (how === 'open') say(stream, { event: 'heartbeat' });
  else stream.end();
  child.stdin.end();
  expect(await ended).toEqual([0, null]);
});
