import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountSessions } from '../../../../cli/agent/client/account-requests.ts';
import { agentStatus, roleClaims } from '../../../../cli/agent/client/requests.ts';
import { notMe } from '../../../../cli/vouch/commands/not-me.ts';
import { sessionsEnd, sessionsList } from '../../../../cli/vouch/commands/sessions.ts';
import { AccountPage } from '../../../server/account/account-page.ts';
import { signIn, startServer, type TestServer } from '../../../server/support.ts';
import { personAtMachine } from '../../account/person.ts';
import { signedIn } from '../../agent/support.ts';
import { captured, machine, role, runCommand } from '../../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** Gives the sessions of a person at "alices-laptop" another machine, and makes them older by some milliseconds. */
async function moveSession(email: string, machine: string, older: number): Promise<void> {
  await server.context.store
    .updateTable('sessions')
    .set((is) => ({ machine, auth_time: is('auth_time', '-', older) }))
    .where('machine', '=', 'alices-laptop')
    .where('person_id', 'in', (is) => is.selectFrom('people').select('id').where('email', '=', email))
    .execute();
}

/** Somebody with this machine's session, one on another machine, and a browser. */
async function signedInEverywhere() {
  const the = await personAtMachine(server);
  // Begun a minute before the other, so that the order of the list is certain.
  await moveSession(the.email, 'here', 60_000);
  const elsewhere = await signIn(server.origin, the.key);
  await AccountPage.signIn(server.origin, the.key);
  return { ...the, elsewhere };
}

const list = (env: NodeJS.ProcessEnv, json = false) => runCommand(env, (io) => sessionsList({ json }, io));
const end = (env: NodeJS.ProcessEnv, typed: string | undefined, options = {}) =>
  runCommand(env, (io) => sessionsEnd(typed, options, io));
const machines = async (env: NodeJS.ProcessEnv) => (await accountSessions(env)).sessions.map(({ machine }) => machine);

describe('vouch sessions list', () => {
  test('shows terminals and browsers, on a terminal of any width', async () => {
    const { env } = await signedInEverywhere();
    await roleClaims(role, env);
    const { code, stdout, stderr } = await list(env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [titles = '', ...lines] = stdout.split('\n');
    expect(titles).toMatch(/^ID {8}MACHINE +SINCE +UNTIL +LAST ROLE$/);
    expect(lines[0]).toMatch(/^[\da-f]{8} {2}alices-laptop .*\d\d:\d\d .*\d\d:\d\d {2}none$/);
    expect(lines[1]).toMatch(
      /^[\da-f]{8} {2}here \(here\) .*\d\d:\d\d .*\d\d:\d\d {2}123456789012\/VouchDeveloper \d\d:\d\d$/,
    );
    expect(lines.slice(2, 5)).toEqual(['', 'My account is open in', expect.stringMatching(/^ID {8}BROWSER/)]);
    expect(lines[5]).toMatch(/^[\da-f]{8} {2}\S.* \d\d:\d\d$/);

    const { io, out } = captured(env);
    await sessionsList({}, { ...io, stdout: { ...io.stdout, columns: 40 } });
    expect(out.stdout).toMatch(
      /\nhere \(here\)\n {2}ID [\da-f]{8}\n {2}since .*, until .*\n {2}last role 123456789012\/VouchDeveloper \d\d:\d\d\n\nMy account is open in\n/,
    );
  });

  test('gives a script all of it', async () => {
    const { env } = await signedInEverywhere();
    await roleClaims(role, env);
    const { sessions, browsers } = JSON.parse((await list(env, true)).stdout);
    expect(sessions[1]).toEqual({
      id: expect.any(String),
      machine: 'here',
      keyName: 'Security key',
      since: expect.stringMatching(/Z$/),
      until: expect.stringMatching(/Z$/),
      lastRole: { arn: role, at: expect.stringMatching(/Z$/) },
      current: true,
    });
    expect(browsers).toHaveLength(1);
  });

  test.each([sessionsList, (_: object, io: never) => sessionsEnd(undefined, { all: true }, io)])(
    'without a session says so',
    async (command) => {
      expect(await runCommand(machine().env, (io) => command({}, io as never))).toMatchObject({ code: 3, stdout: '' });
    },
  );
});

describe('vouch sessions end', () => {
  test('ends what has the machine’s name, or the ID', async () => {
    const { env } = await signedInEverywhere();
    expect(await end(env, 'alices-laptop')).toEqual({ code: 0, stdout: 'Ended 1 session\n', stderr: '' });
    const [browser] = (await accountSessions(env)).browsers;
    expect(await end(env, browser?.id.slice(0, 8))).toMatchObject({ code: 0, stdout: 'Signed 1 browser out\n' });
    expect(await end(env, 'alices-laptop')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/You have no session called "alices-laptop"\.\n {2}You have [\da-f]{8} \(here\)\./),
    });
    expect(await machines(env)).toEqual(['here']);
  });

  test('--others leaves this machine’s', async () => {
    const { env, elsewhere } = await signedInEverywhere();
    await elsewhere.client.api('POST', '/api/aws/token', elsewhere.access_token, { body: { role } });
    const { code, stdout } = await end(env, undefined, { others: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Ended 1 session, and signed 1 browser out\nAWS credentials issued before .* at the latest\.\n$/,
    );
    expect(await machines(env)).toEqual(['here']);
    expect((await end(env, undefined, { others: true })).stdout).toBe('There was no other session\n');
  });

  test.each([
    ['--all', undefined, { all: true }, { sessions: 2, browsers: 1 }],
    ['the name of its machine', 'here', {}, { sessions: 2, browsers: 0 }],
  ] as const)('with %s, its own ends last, and drops everything as a logout does', async (_, typed, options, many) => {
    const { env, email, running } = await signedInEverywhere();
    // The own one becomes the first in the list.
    await moveSession(email, 'here', 120_000);
    await roleClaims(role, env);
    const { code, stdout } = await end(env, typed, { ...options, json: true });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...many, awsCredentialsUntil: expect.stringMatching(/Z$/), signedOut: true });
    await running.ended;
    await expect(agentStatus(env)).rejects.toMatchObject({ kind: 'agent-not-running' });
  });

  test.each([
    [undefined, {}],
    ['x', { others: true }],
    [undefined, { others: true, all: true }],
  ])('%j with %j is wrong usage', async (typed, options) => {
    const the = await signedIn();
    expect(await end(the.env, typed, options)).toMatchObject({ code: 2, stdout: '' });
    expect(the.world.count('account')).toBe(0);
  });
});

describe('vouch not-me', () => {
  const report = (env: NodeJS.ProcessEnv, options = {}) =>
    runCommand(env, (io) => notMe({ yes: true, ...options }, io));

  test('ends all sessions, reports it, and says what AWS still honours and what to do', async () => {
    const { env, email, elsewhere, running } = await signedInEverywhere();
    await roleClaims(role, env);
    const { code, stdout, stderr } = await report(env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Ended 2 sessions, and signed 1 browser out; you are signed out here\nAWS credentials issued before .* at the latest\.\n/,
    );
    expect(stdout).toContain('1. Tell your administrator, who can end these AWS credentials at once.\n');
    expect(stdout).toContain('2. Sign in again: `vouch login`\n');
    await running.ended;
    expect((await elsewhere.client.api('GET', '/api/session', elsewhere.access_token)).status).toBe(401);
    const reported = await server.context.store
      .selectFrom('audit')
      .where('event', '=', 'reported-not-me')
      .where('subject', '=', email)
      .selectAll()
      .execute();
    expect(reported).toHaveLength(1);
  });

  test('gives the result as JSON', async () => {
    const { env } = await personAtMachine(server);
    expect(JSON.parse((await report(env, { json: true })).stdout)).toEqual({
      sessions: 1,
      browsers: 0,
      awsCredentialsUntil: null,
      signedOut: true,
    });
  });

  test('that cannot reach the server sends the person to the administrator, and the session stays', async () => {
    const the = await signedIn();
    the.world.answers.account = (response) => response.writeHead(503).end();
    const { code, stdout, stderr } = await report(the.env);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain('Nothing has ended yet. Tell your administrator now');
    expect((await agentStatus(the.env)).session).not.toBe(null);
  });

  test('in a script needs --yes, and without a session says so', async () => {
    const { env } = await personAtMachine(server);
    expect(await report(env, { yes: false })).toMatchObject({ code: 2, stdout: '' });
    expect((await agentStatus(env)).session).not.toBe(null);
    expect(await report(machine().env)).toMatchObject({ code: 3, stdout: '' });
  });
});
