import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { agentLogs, awsCredentials, dropSession, putSession } from '../../../cli/agent/client/requests.ts';
import { Log, reasonOf } from '../../../cli/agent/log.ts';
import { Problem } from '../../../cli/problem/problem.ts';
import { agentLogsCommand } from '../../../cli/vouch/commands/agent-logs.ts';
import { captured, gitRequest, lines, machine, newSession, role, root, runCommand, stsError } from '../support.ts';
import { agent, hour, signedIn, viaGit } from './support.ts';

const minute = 60_000;

test('has what the agent does and why, and never a secret', async () => {
  const the = await agent();
  const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
  const expiresAt = new Date(the.clock.now + 8 * hour).toISOString();
  const session = newSession(the.world.url, { accessToken: token, expiresAt });
  await expect(awsCredentials(role, undefined, the.env)).rejects.toMatchObject({ kind: 'no-session' });
  await putSession(session, the.env);
  const { password = '' } = lines(await viaGit(the));
  const { accessKeyId, secretAccessKey, sessionToken } = await awsCredentials(role, 'us-east-1', the.env);
  await viaGit(the, gitRequest.replace('amazonaws.com', 'evil\u001b[2J.example'));
  await viaGit(the, `${gitRequest}username=nobody\n`);
  the.clock.now += 53 * minute;
  the.world.answers.sts = stsError('InvalidIdentityToken', `Not this one: ${token}`, 400);
  await the.running.agent.renewDue();
  the.world.answers = {};
  the.clock.now += 3 * minute;
  await the.running.agent.renewDue();
  const log = the.running.agent.log;
  await dropSession(the.env);

  const said = log.after(0).map(({ event, message }) => `${event}: ${message}`);
  expect(said).toEqual([
    expect.stringMatching(/^started: version \S+, process \d+$/),
    'refused: GET /credentials: You are not signed in.',
    expect.stringMatching(
      /^session: alice@example\.com with "Work key" \(YubiKey 5C NFC\) at http:\S+, until .*\d\d:\d\d$/,
    ),
    expect.stringMatching(
      /^credentials: arn:aws:iam::123456789012:role\/VouchDeveloper in us-east-1, until .*\d\d:\d\d$/,
    ),
    'refused: Git, for git-codecommit.us-east-1.evil [2J.example: This is not a CodeCommit repository over HTTPS.',
    expect.stringMatching(
      /^refused: Git, for git-codecommit\.us-east-1\.amazonaws\.com: Git asks for the AWS profile "nobody"/,
    ),
    expect.stringMatching(/^failed: renewal of arn:\S+ in us-east-1: .* Not this one: …/),
    expect.stringMatching(/^credentials: /),
    'ended: the session: logged out',
    'ended: the server has revoked the session',
  ]);
  const signature = password.split('Z')[1] ?? '';
  expect(signature).toHaveLength(64);
  for (const secret of [token, session.dpopKey.d, accessKeyId, secretAccessKey, sessionToken, signature]) {
    expect(said.join('\n')).not.toContain(secret);
  }
});

test('takes a message at once, however long and whatever is in it: a name of a host comes from a stranger', () => {
  const log = new Log();
  // Each part could begin a token, and ends in none. Compared from each beginning to the end, this would take minutes.
  log.add('refused', `for ${'eyJ-'.repeat(100_000)}`);
  log.add('refused', `for eyJhbGciOiJFUzI1NiJ9.${'secret'.repeat(100_000)}`);
  const [first, second] = log.after(0);
  expect(first?.message).toMatch(/^for eyJ-eyJ-.*…$/);
  expect(second?.message).toBe('for …');
});

test('is of limited length, as a whole and in each entry, and counts repeated entries', () => {
  const log = new Log(() => 0);
  for (let i = 0; i < 2000; i++) log.add('refused', `${i} ${'x'.repeat(10_000)}`);
  const entries = log.after(0);
  expect([entries.length, entries[0]?.id, entries.at(-1)?.id]).toEqual([500, 1501, 2000]);
  for (const { message } of entries) expect(message).toHaveLength(400);
  log.add('ended', 'now');
  log.add('ended', 'now');
  expect(log.after(2000)).toEqual([
    { id: 2002, at: '1970-01-01T00:00:00.000Z', event: 'ended', message: 'now', times: 2 },
  ]);
});

test('does not quote an error that nobody foresaw', () => {
  expect(reasonOf(new Error('access.token.of-alice'))).toBe('Something unexpected went wrong.');
  expect(reasonOf(new Problem({ kind: 'service', what: 'It failed.', why: 'It was late.' }))).toBe(
    'It failed. It was late.',
  );
});

test('vouch agent logs prints it, as text and as JSON', async () => {
  const the = await signedIn();
  const { out, io } = captured(the.env);
  expect(await agentLogsCommand({}, io)).toBe(0);
  expect(out.stdout).toMatch(/^.*\d\d:\d\d:\d\d {2}started {6}version .*\n.* {2}session {6}alice@example\.com .*\n$/);
  const { out: programs, io: asJson } = captured(the.env);
  expect(await agentLogsCommand({ json: true }, asJson)).toBe(0);
  const { entries } = await agentLogs(0, the.env);
  expect(
    programs.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(entries);
});

test('vouch agent logs --follow goes on until the agent ends', async () => {
  const the = await signedIn();
  const child = spawn(process.execPath, [join(root, 'cli/vouch/command-line.ts'), 'agent', 'logs', '--follow'], {
    env: the.env,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = new Promise((resolve) => child.once('close', resolve));
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await said.next()).value;
  expect([await next(), await next()]).toEqual([
    expect.stringContaining('started'),
    expect.stringContaining('session'),
  ]);
  await viaGit(the);
  expect(await next()).toContain('credentials');
  the.running.end();
  expect(await exited).toBe(3);
});

test('vouch agent logs without an agent says so', async () => {
  expect(await runCommand(machine().env, (io) => agentLogsCommand({}, io))).toMatchObject({
    code: 3,
    stderr: 'vouch: No agent is running.\n',
  });
});
