/** `node test/scale/measure.ts FILE`: how long commands and routes take on a database of test/scale/seed.ts, in milliseconds. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { readConfig } from '../../server/config/config.ts';
import { hash } from '../../server/secrets.ts';
import { serve } from '../../server/serve.ts';
import { accessToken } from '../server/access-token.ts';
import { CliClient } from '../server/cli-client.ts';
import { keyRow, sessionRow } from '../server/rows.ts';

const TIMES = 9;
const PERSON = 'person42@example.com';
/** The oldest rows of the audit trail are from more than a year ago. */
const DAY = new Date(Date.now() - 200 * 24 * 3600_000).toISOString().slice(0, 10);
const NEXT_DAY = new Date(Date.now() - 199 * 24 * 3600_000).toISOString().slice(0, 10);

const COMMANDS = [
  '--version',
  'people list',
  'people list --no-key',
  'people list --one-key',
  'people list --disabled',
  'people list --not-seen-for 30',
  'people list --search son42',
  `people show ${PERSON}`,
  'keys list',
  'keys list --not-used-for 100',
  `keys list ${PERSON}`,
  'sessions list',
  'invite list',
  'audit list',
  `audit list --person ${PERSON}`,
  'audit list --event signed-in',
  'audit list --actor cli:root',
  `audit list --since ${DAY} --until ${NEXT_DAY}`,
  `people disable ${PERSON}`,
  `people enable ${PERSON}`,
  `people promote ${PERSON}`,
  `people demote ${PERSON}`,
  `aws-revoke ${PERSON} --format cli`,
  'keys policy test',
];

const [file = ''] = process.argv.slice(2);
const issuer = 'http://localhost:8080';
const settings = { VOUCH_ISSUER: issuer, VOUCH_DATABASE_URL: `sqlite:${file}`, VOUCH_LOG_LEVEL: 'silent' };
const program = resolve(import.meta.dirname, '../../dist/server/vouch-server.js');
const node = createRequire(import.meta.url).resolve('node/bin/node');

const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

function report(what: string, times: number[]): void {
  process.stdout.write(`${median(times).toFixed(1).padStart(8)}  ${what}\n`);
}

process.stdout.write('Commands, from the start of the program to its end:\n');
for (const command of COMMANDS) {
  const times = Array.from({ length: TIMES }, () => {
    const begin = performance.now();
    const ended = spawnSync(node, [program, ...command.split(' ')], { env: { ...process.env, ...settings } });
    if (ended.status !== 0) throw new Error(`${command}: ${ended.stderr}`);
    return performance.now() - begin;
  });
  report(command, times);
}

const running = await serve(readConfig(settings));
const { store, now } = running.context;
const server = { origin: issuer, context: running.context };
const [personId, sessionId] = ['person-42', `session of ${process.pid}`];
const client = await CliClient.create(issuer);
const keys = Array.from({ length: TIMES }, (_, count) => `${sessionId}, key ${count}`);
await store
  .insertInto('keys')
  .values(keys.map((id) => keyRow(id, personId)))
  .execute();
const times = { auth_time: now(), expires_at: now() + 3600_000 };
await store
  .insertInto('sessions')
  .values(sessionRow(sessionId, personId, keys[0] ?? '', times))
  .execute();
await store
  .insertInto('web_sessions')
  .values({
    id: sessionId,
    cookie_hash: hash('cookie'),
    page_hash: hash('page'),
    person_id: personId,
    key_id: keys[0] ?? '',
    browser: null,
    ip: null,
    touched_at: now(),
    seen_at: now(),
    expires_at: now() + 3600_000,
  })
  .onConflict((conflict) => conflict.doNothing())
  .execute();
const token = await accessToken(server, { email: PERSON, sessionId }, client.key);

async function route(method: string, path: (count: number) => string, body?: (count: number) => object): Promise<void> {
  const measured: number[] = [];
  for (let count = 1; count < TIMES; count += 1) {
    const proof = await client.proof(method, path(count), { token });
    const begin = performance.now();
    const response = await fetch(issuer + path(count), {
      method,
      headers: {
        authorization: `DPoP ${token}`,
        dpop: proof,
        cookie: '__Host-vouch-account=cookie',
        'vouch-page': 'page',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body(count)) }),
    });
    await response.text();
    if (!response.ok) throw new Error(`${method} ${path(count)}: ${response.status}`);
    measured.push(performance.now() - begin);
  }
  report(`${method} ${path(0).replace(/(?<=keys\/).*/, ':id')}`, measured);
}

process.stdout.write('Routes, from the request to the end of the answer:\n');
const key = (count: number) => encodeURIComponent(keys[count] ?? '');
try {
  for (const path of ['/readyz', '/api/session', '/api/keys', '/api/sessions']) await route('GET', () => path);
  await route(
    'POST',
    () => '/api/aws/token',
    () => ({ role: 'arn:aws:iam::123456789012:role/VouchDeveloper' }),
  );
  for (const path of ['me', 'keys', 'sessions', 'history']) await route('GET', () => `/account/${path}`);
  await route(
    'POST',
    () => '/account/sign-in/options',
    () => ({}),
  );
  await route(
    'PATCH',
    (count) => `/api/keys/${key(count)}`,
    (count) => ({ name: `Spare ${process.pid} ${count}` }),
  );
  await route('DELETE', (count) => `/api/keys/${key(count)}`);
} finally {
  await running.close();
}
