import type { Account } from '../../../web/account/account.ts';
import { creationOptions, requestOptions } from '../fixtures.ts';
import type { Site } from '../site.ts';

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

const key = (id: string, name: string, other: Partial<Account['keys'][number]> = {}) => ({
  id,
  name,
  model: 'YubiKey 5C NFC',
  addedAt: minutesAgo(60 * 24 * 40),
  lastUsedAt: minutesAgo(125),
  icon: null,
  current: false,
  counts: true,
  ...other,
});

export const keys = [
  key('a1', 'Work key', { current: true, lastUsedAt: minutesAgo(0) }),
  key('b2', 'In the drawer', { model: null, lastUsedAt: null }),
];

const event = (
  id: number,
  name: string,
  minutes: number,
  other: Partial<Account['history']['events'][number]> = {},
) => ({
  id,
  at: minutesAgo(minutes),
  event: name,
  result: 'done' as const,
  reason: null,
  by: 'you' as const,
  machine: null,
  ip: '192.0.2.7',
  keyName: null,
  role: null,
  lent: null,
  replacesKeys: false,
  byPaste: false,
  ...other,
});

/** What somebody with two keys and three sessions sees. */
export const account: Account = {
  me: {
    email: 'alice@example.com',
    role: 'member',
    since: minutesAgo(60 * 24 * 40),
    idleSeconds: 900,
    host: 'vouch.example.com',
  },
  keys,
  sessions: [
    {
      id: 's1',
      machine: 'alices-laptop',
      keyName: 'Work key',
      since: minutesAgo(125),
      until: minutesAgo(125 - 480),
      lastRole: { arn: 'arn:aws:iam::123456789012:role/VouchDeveloper', at: minutesAgo(40) },
      current: false,
    },
    {
      id: 's2',
      machine: null,
      keyName: 'Work key',
      since: minutesAgo(30),
      until: minutesAgo(30 - 480),
      lastRole: null,
      current: false,
    },
  ],
  browsers: [{ id: 'w1', browser: 'Chrome on Linux', ip: '192.0.2.7', touchedAt: minutesAgo(0), current: true }],
  history: {
    events: [
      event(9, 'web-session-began', 0, { machine: 'Chrome on Linux', keyName: 'Work key' }),
      event(8, 'aws-token-issued', 40, { role: 'arn:aws:iam::123456789012:role/VouchDeveloper' }),
      event(7, 'signed-in', 125, { machine: 'alices-laptop', keyName: 'Work key' }),
      event(6, 'session-ended', 60 * 20, {
        machine: 'old-laptop',
        reason: 'ended-by-administrator',
        by: 'administrator',
        ip: null,
      }),
    ],
    before: 6,
  },
};

/** Sets the site up so that everything goes well. A test then replaces the answers that should be different. */
export function answerAccount(site: Site, shown: Account = account): void {
  site.reset();
  site.answer('POST /account/sign-in/options', { body: requestOptions });
  site.answer('POST /account/sign-in/verify', { body: { page: 'secret-1' } });
  site.answer('POST /account/touch/options', { body: requestOptions });
  site.answer('POST /account/touch/verify', { body: { page: 'secret-2' } });
  site.answer('POST /account/sign-out', { status: 204 });
  site.answer('POST /account/keys/options', { body: creationOptions });
  site.answer('POST /account/keys/verify', { body: { key: { id: 'c3', name: 'Spare key', model: null } } });
  site.answer('POST /account/not-me', { body: { sessions: 2, browsers: 1, awsCredentialsUntil: inAnHour() } });
  for (const { id } of shown.keys) {
    site.answer(`PATCH /account/keys/${id}`, { status: 204 });
    site.answer(`DELETE /account/keys/${id}`, {
      body: { sessions: 1, signedOut: false, awsCredentialsUntil: inAnHour() },
    });
  }
  const ending = { body: { sessions: 1, browsers: 0, awsCredentialsUntil: null } };
  for (const { id } of shown.sessions) site.answer(`DELETE /account/sessions/${id}`, ending);
  site.answer('DELETE /account/sessions', ending);
  show(site, shown);
}

/** What the lists have from now on. */
export function show(site: Site, { me, keys, sessions, browsers, history }: Account): void {
  site.answer('GET /account/me', { body: me });
  site.answer('GET /account/keys', { body: { keys } });
  site.answer('GET /account/sessions', { body: { sessions, browsers } });
  site.answer('GET /account/history', { body: history });
}

const inAnHour = () => minutesAgo(-65);
