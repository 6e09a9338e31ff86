import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accountKeys,
  accountSessions,
  endOtherSessions,
  endSession,
  removeKey,
  renameKey,
  reportNotMe,
} from '../../../../cli/agent/client/account-requests.ts';
import { agentLogs, agentStatus } from '../../../../cli/agent/client/requests.ts';
import { moveClock, signIn, startServer, type TestServer } from '../../../server/support.ts';
import { personAtMachine, personWithTwoKeys, signInAt } from '../../account/person.ts';
import { json } from '../../support.ts';
import { signedIn } from '../support.ts';

const minute = 60_000;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe('at a server', () => {
  test('the person’s keys are listed, renamed and removed', async () => {
    const { env, key, spare } = await personWithTwoKeys(server);
    expect(await accountKeys(env)).toEqual([
      {
        id: key.id,
        name: 'Security key',
        model: null,
        addedAt: expect.stringMatching(/Z$/),
        lastUsedAt: expect.stringMatching(/Z$/),
        current: true,
      },
      {
        id: spare.id,
        name: 'Spare key',
        model: null,
        addedAt: expect.stringMatching(/Z$/),
        lastUsedAt: null,
        current: false,
      },
    ]);
    await renameKey(spare.id, 'In the drawer', env);
    expect((await accountKeys(env)).map(({ name }) => name)).toEqual(['Security key', 'In the drawer']);
    expect(await removeKey(spare.id, env)).toEqual({ sessions: 0, awsCredentialsUntil: null, signedOut: false });
    expect((await accountKeys(env)).map(({ id }) => id)).toEqual([key.id]);
    const { entries } = await agentLogs(0, env);
    const short = spare.id.slice(0, 8);
    expect(entries.filter(({ event }) => event === 'account').map(({ message }) => message)).toEqual([
      `the key ${short} is called "In the drawer" now`,
      `the key ${short} was removed`,
    ]);
  });

  test('a refusal has the server’s kind and words, and the session goes on', async () => {
    const { env, key, spare } = await personWithTwoKeys(server);
    await expect(renameKey(spare.id, 'Security key', env)).rejects.toMatchObject({
      kind: 'name-taken',
      category: 'refused',
      what: 'Another of your keys has this name.',
      fix: 'Choose a name that none of your keys has.',
    });
    await expect(removeKey('AAAA', env)).rejects.toMatchObject({ kind: 'not-found', what: 'You have no such key.' });
    await removeKey(spare.id, env);
    await expect(removeKey(key.id, env)).rejects.toMatchObject({ kind: 'last-key', what: 'This is your only key.' });
    expect((await agentStatus(env)).session).not.toBe(null);
  });

  test('a key is only removed after a touch of the last minutes', async () => {
    const { env, key, spare } = await personWithTwoKeys(server);
    moveClock(server, 6 * minute);
    await expect(removeKey(spare.id, env)).rejects.toMatchObject({
      kind: 'touch-needed',
      category: 'no-session',
      fix: 'Run `vouch login`, then try again.',
    });
    expect(await accountKeys(env)).toHaveLength(2);
    await signInAt(server, key, env);
    expect(await removeKey(spare.id, env)).toMatchObject({ signedOut: false });
  });

  test('a person who removes the key of their own session learns that it is over', async () => {
    const { env, key } = await personWithTwoKeys(server);
    expect(await removeKey(key.id, env)).toEqual({ sessions: 1, awsCredentialsUntil: null, signedOut: true });
    await expect(accountKeys(env)).rejects.toMatchObject({ kind: 'session-over', category: 'no-session' });
    expect((await agentStatus(env)).session).toBe(null);
  });

  test('the person’s sessions are listed and ended', async () => {
    const { env, key } = await personAtMachine(server);
    await signIn(server.origin, key);
    await signIn(server.origin, key);
    const { sessions, browsers } = await accountSessions(env);
    expect(sessions.map(({ current }) => current).sort()).toEqual([false, false, true]);
    expect(sessions[0]).toEqual({
      id: expect.stringMatching(/^[\w-]{36}$/),
      machine: 'alices-laptop',
      keyName: 'Security key',
      since: expect.stringMatching(/Z$/),
      until: expect.stringMatching(/Z$/),
      lastRole: null,
      current: expect.any(Boolean),
    });
    expect(browsers).toEqual([]);
    const [other] = sessions.filter(({ current }) => !current);
    const one = { sessions: 1, browsers: 0, awsCredentialsUntil: null };
    expect(await endSession(String(other?.id), env)).toEqual(one);
    expect(await endOtherSessions(env)).toEqual(one);
    expect((await accountSessions(env)).sessions.map(({ current }) => current)).toEqual([true]);
    await expect(endSession(String(other?.id), env)).rejects.toMatchObject({ kind: 'not-found' });
    expect(await reportNotMe(env)).toEqual(one);
    await expect(accountKeys(env)).rejects.toMatchObject({ kind: 'session-over' });
  });
});

describe('with another server', () => {
  test.each([
    ['list the keys', (env: NodeJS.ProcessEnv) => accountKeys(env)],
    ['list the sessions', (env: NodeJS.ProcessEnv) => accountSessions(env)],
    ['end the other sessions', (env: NodeJS.ProcessEnv) => endOtherSessions(env)],
    ['report', (env: NodeJS.ProcessEnv) => reportNotMe(env)],
  ])('one that is too old to %s is called so', async (_, ask) => {
    const the = await signedIn();
    await expect(ask(the.env)).rejects.toMatchObject({
      kind: 'old-server',
      exitCode: 1,
      what: expect.stringContaining('does not know this yet'),
      fix: 'Ask your administrator to update it.',
    });
    expect((await agentStatus(the.env)).session).not.toBe(null);
  });

  test('an answer counts even if the session was dropped before it came', async () => {
    const the = await signedIn();
    the.world.answers.account = async (response) => {
      // The server has told of the end on its other stream already (session-events.ts).
      await the.running.agent.logOut();
      json(response, 200, { sessions: 1, browsers: 2, awsCredentialsUntil: '2030-01-01T00:00:00Z' });
    };
    expect(await reportNotMe(the.env)).toEqual({
      sessions: 1,
      browsers: 2,
      awsCredentialsUntil: '2030-01-01T00:00:00.000Z',
    });
  });

  test('a session that the server has ended is dropped, with the reason', async () => {
    const the = await signedIn();
    the.world.answers.account = (response) =>
      json(response, 401, { type: 'urn:vouch:problem:session-over', title: 'Over', reason: 'key-removed' });
    await expect(removeKey('AAAA', the.env)).rejects.toMatchObject({ kind: 'session-over', reason: 'key-removed' });
    expect(await agentStatus(the.env)).toMatchObject({ session: null, ended: { reason: 'key-removed' } });
  });

  const key = {
    id: 'AAAA',
    name: 'Work key',
    model: null,
    addedAt: '2026-03-03T09:00:00Z',
    lastUsedAt: null,
    current: true,
  };
  test.each<[string, unknown]>([
    ['no list', {}],
    ['nothing', null],
    ['a list of something else', { keys: [1, null] }],
    ['a key without an ID', { keys: [{ ...key, id: undefined }] }],
    ['a name that fills the screen', { keys: [{ ...key, name: 'x'.repeat(1401) }] }],
    ['a time that is none', { keys: [{ ...key, addedAt: 'yesterday' }] }],
    ['more keys than anybody has', { keys: Array.from({ length: 201 }, () => key) }],
  ])('an answer that is %s is not passed on', async (_, answer) => {
    const the = await signedIn();
    the.world.answers.account = (response: ServerResponse) => json(response, 200, answer as object);
    await expect(accountKeys(the.env)).rejects.toMatchObject({ kind: 'server-unreachable', exitCode: 4 });
    the.world.answers.account = (response) => json(response, 200, { keys: [{ ...key, more: 'x' }] });
    expect(await accountKeys(the.env)).toEqual([{ ...key, addedAt: '2026-03-03T09:00:00.000Z' }]);
  });

  test('a server that is down for a moment is not asked twice', async () => {
    const the = await signedIn();
    the.world.answers.account = (response) => json(response, 503, {}, { 'retry-after': '1' });
    await expect(reportNotMe(the.env)).rejects.toMatchObject({ kind: 'server-unreachable', exitCode: 4 });
    expect(the.world.count('account')).toBe(1);
  });
});
