import { exportJWK, generateKeyPair } from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { noteAwsIssuer } from '../../../server/public-documents/aws-issuer.ts';
import { type PublishedKey, publicDocuments } from '../../../server/public-documents/documents.ts';
import { Publication } from '../../../server/public-documents/publication.ts';
import { writeDocuments } from '../../../server/public-documents/write-documents.ts';
import type { Store } from '../../../server/store/store.ts';
import type { TestCa } from '../../aws/test-ca.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ISSUER, NOW, newStore } from '../people/store.ts';
import { StaticHost, trustedCa } from './static-host.ts';

const MINUTE = 60_000;

const folder = temporaryFolder();
let ca: TestCa;
let forget: () => void;
beforeAll(async () => {
  ({ ca, forget } = await trustedCa());
});
afterAll(() => forget());

let host: StaticHost;
let store: Store;
let now: number;
let current: PublishedKey;
let next: PublishedKey;
let keys: PublishedKey[];
let lines: Record<string, unknown>[];

async function newKey(kid: string, state: PublishedKey['state']): Promise<PublishedKey> {
  const { publicKey } = await generateKeyPair('ES256');
  return { kid, state, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

beforeEach(async () => {
  host = await StaticHost.start(folder, ca);
  onTestFinished(() => host.close());
  store = await newStore();
  now = NOW;
  current = await newKey('one', 'current');
  next = await newKey('two', 'next');
  keys = [current];
  lines = [];
  await publish();
});

const issuers = () => ({ issuer: ISSUER, awsIssuer: host.url });
const publish = (...some: PublishedKey[]) =>
  writeDocuments(folder, publicDocuments(issuers(), some.length > 0 ? some : keys));

/** An instance of the server. */
function instance(config = issuers(), clock = () => now): Publication {
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return new Publication({ config, store, log, keys: () => keys, now: clock });
}
const later = async (one: Publication, minutes: number) => {
  now += minutes * MINUTE;
  await one.look();
};

test('where AWS reads from the server itself, any key may sign, and nobody looks anywhere', async () => {
  const one = instance({ issuer: ISSUER, awsIssuer: ISSUER });
  await one.look();
  expect([await one.maySign('two'), await one.found(), host.asked]).toEqual([true, undefined, []]);
});

test('a next key may sign when the public documents show it and no older copy is left, on every instance', async () => {
  const [one, other] = [instance(), instance()];
  await one.look();
  keys = [current, next];
  await later(one, 1);
  expect(await one.maySign('two')).toBe(false);
  await publish();
  // max-age is 5 minutes.
  for (const _minute of [1, 2, 3, 4, 5]) {
    await later(one, 1);
    expect(await other.maySign('two')).toBe(false);
  }
  await later(one, 1);
  expect([await one.maySign('two'), await other.maySign('two'), await one.maySign('one')]).toEqual([true, true, true]);
});

test('an instance whose clock is ahead waits as long as the one that looks', async () => {
  const one = instance();
  await one.look();
  keys = [current, next];
  await publish();
  await later(one, 1);
  const ahead = instance(issuers(), () => now + 10 * MINUTE);
  for (const _minute of [1, 2, 3, 4]) {
    await later(one, 1);
    expect(await ahead.maySign('two')).toBe(false);
  }
  await later(one, 1);
  expect(await ahead.maySign('two')).toBe(true);
});

test('an instance that lacks the setting lets no key sign while another one looks at a static host', async () => {
  const lacking = instance({ issuer: ISSUER, awsIssuer: ISSUER });
  expect(await lacking.maySign('two')).toBe(true);
  await instance().look();
  expect(await lacking.maySign('two')).toBe(false);
  now += 31 * MINUTE;
  expect(await lacking.maySign('two')).toBe(true);
});

test('nothing that was seen long ago lets a key sign', async () => {
  keys = [current, next];
  await publish();
  const one = instance();
  await one.look();
  await later(one, 6);
  expect(await one.maySign('two')).toBe(true);
  host.headers = {};
  host.instead.set('/.well-known/jwks.json', (_request, response) => response.writeHead(503).end());
  await later(one, 20);
  expect(await one.maySign('two')).toBe(true);
  await later(one, 20);
  expect(await one.maySign('two')).toBe(false);
});

test('a host that does not say how long others may keep its answers makes the key wait for a day', async () => {
  host.headers = {};
  const one = instance();
  await one.look();
  keys = [current, next];
  await publish();
  await later(one, 1);
  for (const _hour of Array(24).keys()) {
    expect(await one.maySign('two')).toBe(false);
    await later(one, 60);
  }
  expect(await one.maySign('two')).toBe(true);
});

test('what was seen at another issuer does not count', async () => {
  const one = instance();
  await one.look();
  expect(await one.maySign('one')).toBe(false);
  await later(one, 10);
  expect(await one.maySign('one')).toBe(true);
  expect(await instance({ issuer: ISSUER, awsIssuer: `${host.url}/other` }).maySign('one')).toBe(false);
});

test('a calm host is asked once in ten minutes; one with a fault, or with a key that waits, each minute', async () => {
  const one = instance();
  await one.look();
  const looks = () => host.asked.splice(0).length / 2;
  expect(looks()).toBe(1);
  for (const _minute of [1, 2, 3]) await later(one, 1);
  expect(looks()).toBe(0);
  await later(one, 7);
  expect(looks()).toBe(1);
  keys = [current, next];
  for (const _minute of [1, 2, 3]) await later(one, 1);
  expect(looks()).toBe(3);
  await publish();
  for (const _minute of [1, 2, 3, 4, 5, 6, 7, 8]) await later(one, 1);
  expect(looks()).toBe(6);
});

test('the log hears once that AWS cannot use the documents, and once that it can again', async () => {
  const one = instance();
  await one.look();
  host.instead.set('/.well-known/jwks.json', (_request, response) => response.writeHead(403).end());
  for (const _minute of [10, 1, 1]) await later(one, _minute);
  host.instead.clear();
  for (const _minute of [1, 10]) await later(one, _minute);
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [40, 'AWS cannot use the public documents as it should'],
    [30, 'AWS can use the public documents'],
  ]);
  expect(lines[0]).toMatchObject({ issuer: host.url, troubles: [{ kind: 'status' }] });
});

test('that AWS cannot use the key that signs now is an error; that it lacks another one is not', async () => {
  const one = instance();
  await one.checkCurrent();
  await one.look();
  await one.checkCurrent();
  keys = [current, next];
  await later(one, 1);
  await one.checkCurrent();
  keys = [
    { ...next, state: 'current' },
    { ...current, state: 'previous' },
  ];
  await later(one, 1);
  await expect(one.checkCurrent()).rejects.toThrow('AWS cannot use the public documents: key-missing');
});

test('a store that is away is logged, and the next look tries again', async () => {
  const one = instance();
  await store.schema.dropTable('public_documents').execute();
  await one.look();
  expect(lines).toMatchObject([{ level: 50, msg: 'the public documents were not looked at' }]);
});

test('a change of AWS’s issuer is in the audit trail, once', async () => {
  expect(await noteAwsIssuer(store, 'https://a.example.com', now)).toBeUndefined();
  expect(await noteAwsIssuer(store, 'https://b.example.com', now)).toBe('https://a.example.com');
  expect(await noteAwsIssuer(store, 'https://b.example.com', now)).toBeUndefined();
  const rows = await store.selectFrom('audit').select(['event', 'actor', 'detail']).execute();
  expect(rows).toEqual([
    {
      event: 'aws-issuer-changed',
      actor: 'server',
      detail: JSON.stringify({ before: 'https://a.example.com', after: 'https://b.example.com' }),
    },
  ]);
});
