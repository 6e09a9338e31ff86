import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addPublish } from '../../../server/commands/publish.ts';
import { makeKey, newRow, storeFirst } from '../../../server/signing/key-rows.ts';
import type { Store } from '../../../server/store/store.ts';
import type { TestCa } from '../../aws/test-ca.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ISSUER, NOW, newStore } from '../people/store.ts';
import { StaticHost, trustedCa } from '../public-documents/static-host.ts';
import { MASTER_KEY, newDatabase } from '../settings.ts';
import { commandsOf } from './run-command.ts';

const MASTER = Buffer.from(MASTER_KEY, 'base64');

let ca: TestCa;
let forget: () => void;
beforeAll(async () => {
  ({ ca, forget } = await trustedCa());
});
afterAll(() => forget());

const folder = temporaryFolder();
let host: StaticHost;
let store: Store;
let file: string;
beforeAll(async () => {
  host = await StaticHost.start(folder, ca);
});
afterAll(() => host.close());
beforeEach(async () => {
  file = newDatabase();
  store = await newStore(`sqlite:${file}`);
  await storeFirst(store, await makeKey(MASTER), NOW);
});

const publish = (settings: Record<string, string>, ...args: string[]) =>
  commandsOf(
    {
      VOUCH_ISSUER: ISSUER,
      VOUCH_DATABASE_URL: `sqlite:${file}`,
      VOUCH_MASTER_KEY: MASTER_KEY,
      VOUCH_AWS_ISSUER: host.url,
      ...settings,
    },
    addPublish,
  )('publish', ...args);
const names = async () => (await store.selectFrom('signing_keys').select(['kid', 'state']).execute()) ?? [];
const addNext = async () =>
  store
    .insertInto('signing_keys')
    .values(newRow(await makeKey(MASTER), 'next', NOW))
    .execute();

test('writes the documents, says where they belong, and finds that AWS can use them', async () => {
  const written = await publish({}, folder);
  expect(written).toMatchObject({ code: 0, stderr: '' });
  expect(written.stdout).toBe(
    [
      `Written: the documents of ${host.url}, with 1 key (1 current)`,
      `  ${folder}/.well-known/jwks.json`,
      `  ${folder}/.well-known/openid-configuration`,
      `Upload the folder, so that they are at ${host.url}/.well-known/, then run`,
      '  vouch-server publish --check',
      '',
    ].join('\n'),
  );
  const [key] = await names();
  expect(JSON.parse(readFileSync(join(folder, '.well-known/jwks.json'), 'utf8'))).toEqual({
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: key?.kid,
        alg: 'ES256',
        use: 'sig',
      },
    ],
  });
  expect(statSync(join(folder, '.well-known/jwks.json')).mode & 0o777).toBe(0o644);
  expect(await publish({}, '--check')).toEqual({
    code: 0,
    stdout: `AWS can use ${host.url}: it has 1 key (1 current), and others may keep them for 5 minutes\n`,
    stderr: '',
  });
  expect((await publish({}, folder)).stdout).toMatch(/^Up to date: /);
});

test('says that the server’s tokens still name another issuer', async () => {
  await store.updateTable('server').set({ aws_issuer: 'https://old.example.com' }).execute();
  const written = await publish({}, folder);
  expect([written.code, written.stderr]).toEqual([
    0,
    expect.stringContaining('https://old.example.com. Its tokens name'),
  ]);
  await store.updateTable('server').set({ aws_issuer: host.url }).execute();
  expect(await publish({}, folder)).toMatchObject({ code: 0, stderr: '' });
});

test('a key that nobody has published yet is named, as text and as JSON', async () => {
  await publish({}, folder);
  await addNext();
  const [current, next] = await names();
  const { code, stdout, stderr } = await publish({}, '--check');
  expect([code, stdout]).toEqual([1, `${host.url}/.well-known/jwks.json does not have the next key ${next?.kid}.\n`]);
  expect(stderr).toMatch(
    /^vouch-server: AWS cannot use \S+ as it should: 1 fault\.\n {2}Run `vouch-server publish DIR`, /,
  );
  const asJson = await publish({}, '--check', '--json');
  expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([
    1,
    {
      issuer: host.url,
      at: expect.stringMatching(/Z$/),
      usable: false,
      keys: [
        { ...current, shown: true },
        { ...next, shown: false },
      ],
      maxAge: 300,
      age: 0,
      troubles: [{ kind: 'key-missing', url: `${host.url}/.well-known/jwks.json`, kid: next?.kid, state: 'next' }],
    },
  ]);
  expect(JSON.parse((await publish({}, folder, '--json')).stdout)).toEqual({
    issuer: host.url,
    files: ['.well-known/jwks.json', '.well-known/openid-configuration'],
    changed: [join(folder, '.well-known/jwks.json')],
    keys: [current, next],
  });
  expect(await publish({}, '--check', '--json')).toMatchObject({ code: 0, stderr: '' });
});

test('a key that was stored with another master key is not published: whoever only reaches the database adds none', async () => {
  await publish({}, folder);
  const before = readFileSync(join(folder, '.well-known/jwks.json'), 'utf8');
  await store
    .insertInto('signing_keys')
    .values(newRow(await makeKey(Buffer.alloc(32, 7)), 'next', NOW))
    .execute();
  expect(await publish({}, folder)).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be opened/) });
  expect(readFileSync(join(folder, '.well-known/jwks.json'), 'utf8')).toBe(before);
});

test('a host that redirects is named, and what to do', async () => {
  host.instead.set('/.well-known/jwks.json', (_request, response) => response.writeHead(301, { Location: '/' }).end());
  try {
    await publish({}, folder);
    const { code, stdout, stderr } = await publish({}, '--check');
    expect([code, stdout]).toEqual([
      1,
      `${host.url}/.well-known/jwks.json: It redirects (status 301) instead of answering.\n`,
    ]);
    expect(stderr).toMatch(/\n {2}Mend the host, .*without a redirection\.\n$/);
  } finally {
    host.instead.clear();
  }
});

test('where AWS reads from the server itself, nothing is published, but the check works', async () => {
  const own = { VOUCH_AWS_ISSUER: ISSUER };
  expect(await publish(own, folder)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^vouch-server: VOUCH_AWS_ISSUER is not set, so AWS reads .* the server itself/),
  });
  expect(await publish(own, '--check')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/AWS cannot use http:\/\/localhost:3000 .*\n {2}Look whether the server runs, /),
  });
});

test.each<[string, string[], Record<string, string>, RegExp]>([
  ['neither a folder nor --check', [], {}, /^vouch-server: No folder was named\.\n {2}Give a folder, or --check\.\n$/],
  ['both', ['there', '--check'], {}, /^vouch-server: Either a folder is written/],
  ['a wrong issuer of AWS', ['there'], { VOUCH_AWS_ISSUER: 'https://a' }, /^vouch-server: VOUCH_AWS_ISSUER is/],
])('refuses %s', async (_name, args, settings, message) => {
  expect(await publish(settings, ...args)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(message),
  });
});
