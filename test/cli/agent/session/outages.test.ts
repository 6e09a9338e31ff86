import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  agentStatus,
  awsCredentials,
  dropSession,
  gitCredentials,
  profileCredentials,
  putSession,
  roleClaims,
} from '../../../../cli/agent/client/requests.ts';
import { parseRoleArn, type RoleArn } from '../../../../cli/aws/role-arn.ts';
import { status } from '../../../../cli/vouch/commands/status.ts';
import {
  captured,
  gitRequest,
  json,
  lines,
  newSession,
  role,
  setUpChain,
  setUpProfile,
  stsError,
} from '../../support.ts';
import { agent, hour, signedIn, soonAgain, viaGit } from '../support.ts';

const minute = 60_000;

type SignedIn = Awaited<ReturnType<typeof signedIn>>;
type Answer = (response: ServerResponse) => unknown;

const html = (status: number): Answer => {
  return (response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html><body><h1>Sorry<br></h1></body></html>');
};
const cutHalfway: Answer = (response) => {
  response.writeHead(200, { 'content-length': '4000' });
  response.write('{"token":"abc', () => response.destroy());
};
const problem = (status: number, type: string, headers = {}): Answer => {
  return (response) => json(response, status, { type: `urn:vouch:problem:${type}`, title: 'No.' }, headers);
};

/** Answers like this a number of times, and then properly. */
function answerAtFirst(the: SignedIn, what: 'token' | 'sts', times: number, answer: Answer): void {
  let left = times;
  the.world.answers[what] = (response) => {
    if (--left === 0) delete the.world.answers[what];
    return answer(response);
  };
}

/** Makes the pauses between tries as long as they can be, and reports when one begins. */
function onPause(begun: (pause: number) => void = () => {}): void {
  let pauses = 0;
  const random = vi.spyOn(Math, 'random').mockImplementation(() => {
    begun(++pauses);
    return 0.999;
  });
  onTestFinished(() => random.mockRestore());
}

describe('one request gets its answer when', () => {
  test('the server comes back that was not there', async () => {
    const the = await signedIn({ timeouts: soonAgain });
    const start = await the.world.stop();
    onPause((pause) => {
      if (pause === 5) start();
    });
    expect(lines(await viaGit(the)).username).toMatch(/^ASIA/);
  });

  const down: [string, Answer][] = [
    ['fails', html(500)],
    ['is not there, behind a proxy', html(502)],
    ['is being replaced', html(503)],
    ['has not come up yet, behind a proxy', html(404)],
    ['hangs up', (response) => response.destroy()],
    ['is cut off half-way', cutHalfway],
    ['talks nonsense', (response) => response.end('<html>welcome to the hotel')],
    ['says nothing', (response) => response.end()],
    ['is too busy', (response) => response.writeHead(429).end()],
  ];

  test.each<[string, Answer]>([
    ...down,
    ['has trouble that it can name', problem(500, 'internal-error')],
    ['has had too many requests', problem(429, 'too-many-requests')],
    ['is hidden by a proxy that wants a password', (response) => response.writeHead(401).end()],
    ["is hidden by a Wi-Fi's login page", (response) => response.writeHead(302, { location: '/login' }).end()],
  ])('the server %s, twice', async (_, answer) => {
    const the = await signedIn({ timeouts: soonAgain });
    answerAtFirst(the, 'token', 2, answer);
    expect(lines(await viaGit(the)).username).toMatch(/^ASIA/);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([3, 1]);
  });

  test.each<[string, Answer]>([
    ...down,
    ['throttles', stsError('Throttling', 'Rate exceeded', 400)],
    ['limits requests', stsError('RequestLimitExceeded', 'Request limit exceeded', 503)],
    ['could not ask for the keys', stsError('IDPCommunicationError', 'Error communicating with the provider', 400)],
    ['got no keys', stsError('InvalidIdentityToken', "Couldn't retrieve verification key from your provider", 400)],
  ])('STS %s, twice, of which the server hears nothing', async (_, answer) => {
    const the = await signedIn({ timeouts: soonAgain });
    answerAtFirst(the, 'sts', 2, answer);
    expect(lines(await viaGit(the)).username).toMatch(/^ASIA/);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 3]);
  });

  test.each(['token', 'sts'] as const)('a question (%s) is never answered, or not to its end', async (what) => {
    const the = await signedIn({ timeouts: { ...soonAgain, call: 200 } });
    let asked = 0;
    the.world.answers[what] = (response) => {
      if (++asked === 2) delete the.world.answers[what];
      if (asked === 2) response.writeHead(200).write('{');
    };
    expect(lines(await viaGit(the)).username).toMatch(/^ASIA/);
    expect(asked).toBe(2);
  });

  test('STS is down for longer than the ID token lives, by the clock, which is 60 seconds', async () => {
    for (const [seconds, tokens] of [
      [44, 1],
      [46, 2],
    ] as const) {
      const the = await signedIn({ timeouts: soonAgain });
      answerAtFirst(the, 'sts', 1, (response) => {
        the.clock.now += seconds * 1000;
        html(503)(response);
      });
      expect(lines(await viaGit(the)).username).toMatch(/^ASIA/);
      const shown = the.world.calls.flatMap(({ query }) => query?.get('WebIdentityToken') ?? []);
      expect(shown).toHaveLength(2);
      expect(new Set(shown).size).toBe(tokens);
    }
  });

  test('the STS of a chained role is down for a while', async () => {
    const the = await signedIn({ timeouts: soonAgain });
    setUpChain(the, 'team', 'vouch', `${role}-team`);
    answerAtFirst(the, 'sts', 2, html(503));
    await profileCredentials('vouch', { region: 'us-east-1' }, the.env);
    answerAtFirst(the, 'sts', 2, html(503));
    await profileCredentials('team', { region: 'us-east-1' }, the.env);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 6]);
  });
});

describe('who is down', () => {
  test('is asked once for all callers that wait', async () => {
    const the = await signedIn({ timeouts: soonAgain });
    answerAtFirst(the, 'token', 5, html(503));
    answerAtFirst(the, 'sts', 5, html(503));
    const users = await Promise.all(Array.from({ length: 200 }, async () => lines(await viaGit(the)).username));
    expect(new Set(users).size).toBe(1);
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([6, 6]);
  });

  test('is not asked again by the SDK itself', async () => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', `${role}-team`);
    await profileCredentials('vouch', { region: 'us-east-1' }, the.env);
    the.world.answers.sts = html(503);
    await expect(profileCredentials('team', { region: 'us-east-1' }, the.env)).rejects.toMatchObject({ exitCode: 4 });
    expect(the.world.count('sts')).toBe(2);
  });

  test.each(['token', 'sts'] as const)('(%s) is left alone for as long as it asks for', async (what) => {
    const the = await signedIn({ timeouts: soonAgain });
    const asked: number[] = [];
    the.world.answers[what] = (response) => {
      asked.push(performance.now());
      if (asked.length === 2) delete the.world.answers[what];
      response.writeHead(503, { 'retry-after': '1' }).end();
    };
    await viaGit(the);
    const [first = 0, second = 0] = asked;
    expect(second - first).toBeGreaterThanOrEqual(1000);
  });

  test.each(['token', 'sts'] as const)('(%s) for longer than anybody waits is not waited for', async (what) => {
    const the = await signedIn({ timeouts: soonAgain });
    the.world.answers[what] = (response) => response.writeHead(503, { 'retry-after': '60' }).end();
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ exitCode: 4 });
    expect(the.world.count(what)).toBe(1);
  });

  test.each([
    ['token', 'server-unreachable'],
    ['sts', 'aws-unreachable'],
  ] as const)('(%s) is not waited for without end', async (what, kind) => {
    const the = await signedIn({ timeouts: { ...soonAgain, request: 2000 } });
    answerAtFirst(the, what, 1, (response) => {
      html(503)(response);
      the.world.answers[what] = () => {};
    });
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind,
      exitCode: 4,
      why: expect.stringContaining('status 503'),
    });
  });

  test.each(['token', 'sts'] as const)('(%s) is not waited for while something is in hand', async (what) => {
    const ever = 2 ** 31 - 1;
    const the = await signedIn({ timeouts: { ...soonAgain, request: ever, replacement: 50, call: ever } });
    const first = lines(await viaGit(the)).username;
    the.clock.now += 59 * minute + 30_000;
    the.world.answers[what] = () => {};
    expect(lines(await viaGit(the)).username).toBe(first);
    // The try goes on for the next caller.
    expect(lines(await viaGit(the)).username).toBe(first);
    expect(the.world.count(what)).toBe(2);
  });

  test('is not asked again for a caller that only wants the state', async () => {
    const the = await signedIn({ timeouts: soonAgain });
    the.world.answers = { token: html(503) };
    await expect(roleClaims(role, the.env)).rejects.toMatchObject({ kind: 'server-unreachable' });
    await expect(profileCredentials('vouch', { fresh: true }, the.env)).rejects.toMatchObject({ exitCode: 4 });
    expect(the.world.count('token')).toBe(2);
  });

  test('is asked again for a caller that waits for a renewal, which itself is tried once', async () => {
    const the = await signedIn({ timeouts: soonAgain });
    const first = lines(await viaGit(the)).username;
    const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
    the.world.answers.sts = resolve;
    the.clock.now += 59 * minute + 30_000;
    const renewal = the.running.agent.renewDue();
    const response = await asked;
    // There is no socket in between, so it waits by now.
    const waiting = the.running.agent.credentials({ role: parseRoleArn(role) as RoleArn }, { region: 'us-east-1' });
    answerAtFirst(the, 'sts', 2, html(503));
    html(503)(response);
    expect((await waiting).accessKeyId).not.toBe(first?.split('%')[0]);
    await renewal;
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([2, 5]);
  });
});

describe('what is not an outage is not tried again', () => {
  test.each<[string, Answer, string]>([
    ['the session was revoked', problem(401, 'session-over'), 'session-over'],
    [
      'the token was refused',
      (response) => response.writeHead(401, { 'www-authenticate': 'DPoP error="invalid_token"' }).end(),
      'session-over',
    ],
    ['the role was refused', problem(403, 'role-refused'), 'role-refused'],
    ['the request was bad', problem(400, 'bad-request'), 'bad-request'],
  ])('by the server: %s', async (_, answer, kind) => {
    const the = await signedIn({ timeouts: soonAgain });
    the.world.answers.token = answer;
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind });
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 0]);
  });

  test.each([
    ['AccessDenied', 403],
    ['InvalidIdentityToken', 400],
    ['ExpiredTokenException', 400],
    ['ValidationError', 400],
    ['RegionDisabledException', 403],
    ['SomethingNew', 400],
  ])('by STS: %s', async (code, status) => {
    const the = await signedIn({ timeouts: soonAgain });
    the.world.answers.sts = stsError(code, 'No.', status);
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'aws-refused',
      exitCode: 5,
      why: expect.stringMatching(/AWS says: No\.$/),
    });
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 1]);
  });
});

describe('one line has who is down, and until when the cached credentials last', () => {
  const at = (time: number) => new Date(time).toTimeString().slice(0, 5);
  /** Noon, so that all times are on one day. */
  const noon = new Date().setHours(12, 0, 0, 0);

  test('for the server', async () => {
    const the = await agent();
    the.clock.now = noon;
    await putSession(newSession(the.world.url, { expiresAt: new Date(noon + 8 * hour).toISOString() }), the.env);
    the.world.answers.token = html(502);
    const host = new URL(the.world.url).host;
    await expect(gitCredentials(Buffer.from(gitRequest), the.env)).rejects.toMatchObject({
      what: `The Vouch server ${host} could not be reached. Your session lasts until ${at(noon + 8 * hour)}.`,
      why: 'It answered: status 502',
      fix: 'Check your network, then try again.',
    });
  });

  test('for STS, with credentials for other roles in the cache', async () => {
    const the = await agent();
    the.clock.now = noon;
    await putSession(newSession(the.world.url, { expiresAt: new Date(noon + 8 * hour).toISOString() }), the.env);
    setUpProfile(the, 'prod', `${role}-prod`);
    await profileCredentials('prod', { region: 'us-east-1' }, the.env);
    the.world.answers.sts = html(503);
    const told = await awsCredentials(role, 'us-east-1', the.env).catch((error) => error);
    expect(told.what).toBe(
      `AWS STS in us-east-1 could not be reached. Your session lasts until ${at(noon + 8 * hour)}, ` +
        `and credentials for VouchDeveloper-prod in us-east-1 until ${at(noon + hour)}.`,
    );
  });
});

test.each([
  ['token', /^The Vouch server 127\.0\.0\.1:\d+ could not be reached\.$/],
  ['sts', /^AWS STS in us-east-1 could not be reached\.$/],
] as const)('the status says what is in the way of a renewal (%s), until there is nothing', async (what, trouble) => {
  const the = await signedIn();
  await viaGit(the);
  the.world.answers[what] = html(503);
  the.clock.now += 55 * minute;
  await the.running.agent.renewDue();
  const inHand = async () => (await agentStatus(the.env)).credentials;
  expect(await inHand()).toEqual([expect.objectContaining({ trouble: expect.stringMatching(trouble) })]);
  const { io, out } = captured(the.env);
  await status({}, io);
  expect(out.stdout).toMatch(
    /^AWS +profile vouch: .*\n {10}not renewed yet: (The Vouch server|AWS STS) .* reached\.$/m,
  );
  the.world.answers = {};
  the.clock.now += minute;
  await the.running.agent.renewDue();
  expect(await inHand()).toEqual([expect.not.objectContaining({ trouble: expect.anything() })]);
});

describe('the end of the session', () => {
  test('between the ID token and STS is seen: STS is not asked', async () => {
    const the = await signedIn();
    the.world.answers.token = (response) => {
      the.clock.now += 8 * hour;
      json(response, 200, { token: 'id.token.x' });
    };
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
      kind: 'session-over',
      what: expect.stringMatching(/^Your session ended at /),
    });
    expect([the.world.count('token'), the.world.count('sts')]).toEqual([1, 0]);
  });

  test('in the middle of a renewal is seen too, and nothing is kept', async () => {
    const the = await signedIn();
    await viaGit(the);
    the.world.answers.token = (response) => {
      the.clock.now += 8 * hour;
      json(response, 200, { token: 'id.token.x' });
    };
    the.clock.now += 55 * minute;
    await the.running.agent.renewDue();
    expect(the.world.count('sts')).toBe(1);
    expect(await agentStatus(the.env)).toMatchObject({ session: null, credentials: [] });
  });

  test.each(['token', 'sts'] as const)('between two tries (%s) is seen: there is no other', async (what) => {
    const the = await signedIn({ timeouts: soonAgain });
    the.world.answers[what] = (response) => {
      the.clock.now += 8 * hour;
      html(503)(response);
    };
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind: 'session-over' });
    expect(the.world.count(what)).toBe(1);
  });

  test('by a logout ends the pause between two tries', async () => {
    // Longer than any test.
    const ever = 2 ** 31 - 1;
    const the = await signedIn({
      timeouts: { ...soonAgain, request: ever, firstPause: ever, longestPause: ever },
    });
    the.world.answers.token = html(503);
    const { promise: paused, resolve } = Promise.withResolvers<void>();
    onPause(() => resolve());
    const waiting = viaGit(the);
    await paused;
    expect(await dropSession(the.env)).toEqual({ revoked: true });
    expect(await waiting).toBe('');
    expect(the.world.count('token')).toBe(1);
  });
});

describe('a clock that is set back', () => {
  async function withUptime() {
    const time = { up: 0 };
    return { time, the: await signedIn({ uptime: () => time.up }) };
  }

  test('prolongs no credentials', async () => {
    const { time, the } = await withUptime();
    const first = lines(await viaGit(the)).username;
    the.clock.now -= 2 * hour;
    expect(lines(await viaGit(the)).username).toBe(first);
    time.up += hour;
    expect((await agentStatus(the.env)).credentials).toEqual([]);
    expect(lines(await viaGit(the)).username).not.toBe(first);
  });

  test('prolongs no session', async () => {
    const { time, the } = await withUptime();
    the.clock.now -= 2 * hour;
    time.up += 8 * hour;
    await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind: 'session-over' });
    expect(the.world.calls).toEqual([]);
  });
});

describe('a secret', () => {
  const quoted = 'You sent';

  test('that the server quotes is told to nobody', async () => {
    const the = await agent();
    const accessToken = 'header.payload-payload-payload.signature-signature';
    await putSession(
      newSession(the.world.url, { accessToken, expiresAt: new Date(the.clock.now + hour).toISOString() }),
      the.env,
    );
    for (const status of [403, 503]) {
      the.world.answers.token = (response) => {
        const title = `${quoted} ${accessToken} and ${accessToken.slice(0, 30)}`;
        json(response, status, { type: 'urn:vouch:problem:role-refused', title, detail: title });
      };
      const error = await the.running.codecommit.answer(Buffer.from(gitRequest)).catch((error: unknown) => error);
      const told = inspect(error, { depth: 20, showHidden: true });
      expect(told).toContain(quoted);
      expect(told).not.toMatch(/payload|signature/);
    }
  });

  test.each([
    ['AccessDenied', 403],
    ['Throttling', 400],
    ['SomethingNew', 500],
  ])('that STS quotes with %s is told to nobody', async (code, status) => {
    const the = await signedIn();
    setUpChain(the, 'team', 'vouch', `${role}-team`);
    const idToken = 'header.payload-payload-payload.signature-signature';
    the.world.answers.token = (response) => json(response, 200, { token: idToken });
    the.world.answers.sts = (response) => stsError(code, `${quoted} ${idToken} ${idToken.slice(20)}`, status)(response);
    const first = Buffer.from(`${gitRequest}username=vouch\n`);
    const error = await the.running.codecommit.answer(first).catch((error: unknown) => error);
    const told = inspect(error, { depth: 20, showHidden: true });
    expect(told).toContain(quoted);
    expect(told).not.toMatch(/payload|signature/);

    delete the.world.answers.sts;
    await viaGit(the, first);
    the.world.answers.sts = stsError(code, `${quoted} sessiontoken/of+1== and secret/of+1`, status);
    const request = Buffer.from(`${gitRequest}username=team\n`);
    const ofChain = inspect(await the.running.codecommit.answer(request).catch((error: unknown) => error), {
      depth: 20,
    });
    expect(ofChain).toContain(quoted);
    expect(ofChain).not.toMatch(/of\+1/);
  });

  test('is overwritten when it is dropped', async () => {
    const allocated = vi.spyOn(Buffer, 'alloc');
    onTestFinished(() => allocated.mockRestore());
    const the = await signedIn();
    await viaGit(the);
    const secrets = ['access.token.of-alice', 'secret/of+2', 'sessiontoken/of+2=='];
    const held = () => allocated.mock.results.map(({ value }) => value as Buffer);
    const inHand = held().filter((buffer) => secrets.includes(buffer.toString()));
    expect(inHand).toHaveLength(3);
    const [first] = inHand.filter((buffer) => buffer.toString() === 'secret/of+2');

    the.clock.now += 55 * minute;
    await the.running.agent.renewDue();
    await vi.waitFor(() => expect(first?.every((byte) => byte === 0)).toBe(true));

    await dropSession(the.env);
    await vi.waitFor(() => {
      expect(held().filter((buffer) => /secret|token/.test(buffer.toString()))).toEqual([]);
    });
  });
});

test('an answer of STS without end is not read to its end', async () => {
  const the = await signedIn();
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  the.world.answers.sts = (response) => {
    const chunk = Buffer.alloc(1024 * 1024, '<a>');
    const go = () => {
      while (response.write(chunk));
    };
    response.on('drain', go).on('close', resolve);
    go();
  };
  await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({
    kind: 'aws-unreachable',
    what: expect.stringMatching(/^AWS STS in us-east-1 gave no proper answer\. /),
  });
  await closed;
});
