import { randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { sql } from 'kysely';
import { expect, onTestFinished, test, vi } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { CliClient } from '../cli-client.ts';
import { type ServerProcess, startProgram } from '../program.ts';
import { localSettings } from '../settings.ts';
import { startServer } from '../support.ts';

const idOf = (response: Response) => response.headers.get('x-request-id') ?? '';

/** The lines of the log about this request, without the one that each request has. */
async function linesAbout(server: ServerProcess, id: string): Promise<Record<string, unknown>[]> {
  const lines = () => server.log.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  await expect.poll(() => lines().some((line) => line.msg === 'request' && line.id === id)).toBe(true);
  return lines().filter((line) => line.id === id && line.msg !== 'request');
}

test('an error’s answer and all that the log says about it have the request’s ID, and every line the version', async () => {
  const settings = await localSettings();
  const origin = settings.VOUCH_ISSUER;
  const server = await startProgram(settings);

  const problem = await fetch(`${origin}/login/nobody/details`, { headers: { 'x-request-id': randomUUID() } });
  expect(await problem.json()).toMatchObject({ instance: `urn:uuid:${idOf(problem)}` });
  expect(await linesAbout(server, idOf(problem))).toMatchObject([
    { msg: 'request refused', problem: 'interaction-over', version: manifest.version },
  ]);

  const client = await CliClient.create(origin);
  const oauth = [
    await client.push({ code_challenge_method: 'plain' }),
    await client.redeem('nonsense'),
    await fetch(`${origin}/auth?client_id=nobody`, { redirect: 'manual' }),
  ];
  for (const response of oauth) {
    expect(await linesAbout(server, idOf(response))).toMatchObject([{ msg: 'OAuth request refused' }]);
  }
  const versions = server.log
    .split('\n')
    .filter((line) => line !== '' && JSON.parse(line).version !== manifest.version);
  expect(versions).toEqual([]);
});

test('whoever meets an error that the server does not know can name it to their administrator', async () => {
  const running = await startServer({ VOUCH_CONTACT: 'it@example.com' });
  onTestFinished(running.close);
  const error = vi.spyOn(running.context.log, 'error');
  await sql`drop table enrolments`.execute(running.context.store);
  const response = await fetch(`${running.origin}/enroll/nobody/open`, { method: 'POST' });
  const id = idOf(response);
  expect([response.status, await response.json()]).toMatchObject([
    500,
    {
      type: 'urn:vouch:problem:internal-error',
      detail: `Try again. If it happens again, tell your administrator (it@example.com), whose log has it as ${id}.`,
      instance: `urn:uuid:${id}`,
    },
  ]);
  expect(error.mock.calls).toEqual([[{ err: expect.any(Error), id }, 'request failed']]);
});

test('while the database is away each request that fails costs the log one short line', async () => {
  const running = await startServer();
  onTestFinished(running.close);
  const client = await CliClient.create(running.origin);
  const error = vi.spyOn(running.context.log, 'error');
  const { databaseFile } = running;
  // Removed while the server runs: nothing is written any more.
  renameSync(databaseFile, `${databaseFile}.away`);
  for (const answer of [await client.push(), await enrol(running.origin)]) {
    expect(answer.status).toBe(503);
    const line = { reason: expect.stringMatching(/^.{1,300}$/), id: idOf(answer) };
    expect(error.mock.calls.filter(([told]) => Object(told).id === line.id)).toEqual([[line, expect.any(String)]]);
  }
});

const enrol = (origin: string) =>
  fetch(`${origin}/account/sign-in/options`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
