import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { invite } from '../../../server/enrolment/invitations.ts';
import { hash } from '../../../server/secrets.ts';
import { Browser } from '../browser.ts';
import { selfMadeCertificate } from '../certificates.ts';
import { type Ceremony, SoftKey } from '../soft-key.ts';
import {
  Enrolment,
  enrolPerson,
  expectProblem,
  inviteCode,
  jsonOf,
  moveClock,
  newAddress,
  SignIn,
  signIn,
  startServer,
  type TestServer,
} from '../support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const start = (invitation: unknown, more: Record<string, unknown> = {}) =>
  new Browser(server.origin).post('/enroll/start', { invitation, ...more });

async function keysOf(email: string): Promise<string[]> {
  const rows = await server.context.store
    .selectFrom('keys')
    .innerJoin('people', 'people.id', 'keys.person_id')
    .where('people.email', '=', email)
    .select('keys.name')
    .execute();
  return rows.map((row) => row.name);
}

async function peopleOf(email: string): Promise<number> {
  return (await server.context.store.selectFrom('people').where('email', '=', email).select('id').execute()).length;
}

describe('an invitation', () => {
  test('leads to a person with a key that signs in', async () => {
    const email = newAddress();
    const key = new SoftKey(server.origin);
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, email));
    const status = () => enrolment.status();
    expect(await jsonOf(await status())).toEqual({ state: 'waiting', email });
    const shown = { words: expect.stringMatching(/^[a-z]+ [a-z]+ [a-z]+$/), expiresAt: expect.any(String) };
    const opened = await jsonOf<{ words: string }>(await enrolment.post('open'));
    expect(opened).toEqual({
      ...shown,
      page: expect.stringMatching(/^[\w-]{43}$/),
      approved: false,
      host: new URL(server.origin).host,
    });
    const { words } = opened;
    expect(await jsonOf(await status())).toEqual({ state: 'opened', email, words });
    expect((await enrolment.answer('approve', words)).status).toBe(204);
    expect(await jsonOf(await status())).toEqual({ state: 'approved', email });
    expect(await jsonOf(await enrolment.post('open'))).toEqual({
      words,
      approved: true,
      email,
      machine: 'alices-laptop',
      client: 'Vouch CLI',
      requestedAt: expect.any(String),
      expiresAt: expect.any(String),
      host: new URL(server.origin).host,
      needsConfirmation: false,
    });
    const enrolled = { email, key: { name: 'Security key', model: null } };
    expect(await jsonOf(await enrolment.register(key))).toEqual(enrolled);
    expect(await jsonOf(await status())).toEqual({ state: 'done', ...enrolled });
    await signIn(server.origin, key);
  });

  test('asks for a discoverable credential on a roaming key that verifies its user, and for its model', async () => {
    const email = newAddress();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    expect(await enrolment.options()).toMatchObject({
      rp: { id: 'localhost', name: 'Vouch' },
      user: { name: email },
      attestation: 'direct',
      hints: ['security-key'],
      timeout: 300_000,
      excludeCredentials: [],
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
        authenticatorAttachment: 'cross-platform',
      },
    });
  });

  test('may be typed in lower case, without hyphens, with O for 0 and I or L for 1', async () => {
    const code = await inviteCode(server, newAddress());
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
    await jsonOf(await start(`  ${typed}  `));
  });

  test('enrols one key: used twice it is refused', async () => {
    const email = newAddress();
    const code = await inviteCode(server, email);
    const enrolment = await Enrolment.open(server.origin, code);
    await jsonOf(await enrolment.register(new SoftKey(server.origin)));
    await expectProblem(await start(code), 403, 'invitation-refused');
    await expectProblem(await enrolment.post('options'), 403, 'invitation-refused');
    await expectProblem(await enrolment.post('open'), 403, 'invitation-refused');
    expect(await keysOf(email)).toHaveLength(1);
  });

  test('enrols one key: of 10 at the same moment one wins', async () => {
    const email = newAddress();
    const code = await inviteCode(server, email);
    const racers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const enrolment = await Enrolment.open(server.origin, code);
        return { enrolment, answer: new SoftKey(server.origin).create(await enrolment.options()) };
      }),
    );
    const responses = await Promise.all(racers.map(({ enrolment, answer }) => enrolment.post('verify', answer)));
    expect(responses.filter((response) => response.status === 200)).toHaveLength(1);
    for (const response of responses.filter((item) => item.status !== 200)) {
      await expectProblem(response, 403, 'invitation-refused');
    }
    expect(await keysOf(email)).toHaveLength(1);
    expect(await peopleOf(email)).toBe(1);
  });

  test('is good for 72 hours', async () => {
    const code = await inviteCode(server, newAddress());
    moveClock(server, 72 * 3600_000 - 5000);
    await jsonOf(await start(code));
    moveClock(server, 72 * 3600_000);
    await expectProblem(await start(code), 403, 'invitation-refused');
  });

  test('that ends while the enrolment is under way enrols nobody', async () => {
    const email = newAddress();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const answer = new SoftKey(server.origin).create(await enrolment.options());
    await server.context.store.updateTable('invitations').set({ expires_at: 1 }).where('email', '=', email).execute();
    await expectProblem(await enrolment.post('verify', answer), 403, 'invitation-refused');
    expect(await peopleOf(email)).toBe(0);
  });

  test('for another address is refused, in the same words', async () => {
    const email = newAddress();
    const code = await inviteCode(server, email);
    const refused = await start(code, { email: 'somebody@example.com' });
    const garbage = await start('garbage', { email });
    expect(await refused.clone().text()).toBe(await garbage.clone().text());
    await expectProblem(refused, 403, 'invitation-refused');
    await jsonOf(await start(code, { email: email.toUpperCase() }));
  });

  test('is void once there is a newer one for the address, also under way', async () => {
    const email = newAddress();
    const old = await inviteCode(server, email);
    const underWay = await Enrolment.open(server.origin, old);
    const answer = new SoftKey(server.origin).create(await underWay.options());
    const next = await inviteCode(server, email);
    await expectProblem(await start(old), 403, 'invitation-refused');
    await expectProblem(await underWay.post('verify', answer), 403, 'invitation-refused');
    await jsonOf(await start(next));
  });

  const garbage: [string, unknown, string][] = [
    ['a code that nobody got', '0'.repeat(26), 'invitation-refused'],
    ['the hash of one', 'A'.repeat(43), 'invitation-refused'],
    ['text with a percent sign', '%', 'invitation-refused'],
    ['nothing', undefined, 'bad-request'],
    ['empty text', '  ', 'bad-request'],
    ['101 characters', '0'.repeat(101), 'bad-request'],
    ['a number', 7, 'bad-request'],
    ['a list', ['0'], 'bad-request'],
    ['an object', { $gt: '' }, 'bad-request'],
    ['NUL', 'a\u0000b', 'bad-request'],
    ['text that cannot be seen', '\u3164', 'bad-request'],
  ];
  for (const [name, code, problem] of garbage) {
    test(`is not ${name}`, async () => {
      await expectProblem(await start(code), problem === 'bad-request' ? 400 : 403, problem);
    });
  }

  test('is not taken for a machine or a key whose name cannot be seen', async () => {
    const code = await inviteCode(server, newAddress());
    for (const name of ['\u3164', '\u200b', 'laptop\u202e', '\u0301', '\u2800', ' ', '']) {
      await expectProblem(await start(code, { machine: name }), 400, 'bad-request');
      await expectProblem(await start(code, { name }), 400, 'bad-request');
    }
  });

  test('does not help a disabled person', async () => {
    const { email, key } = await enrolPerson(server);
    const { store } = server.context;
    await store.updateTable('people').set({ disabled_at: 1 }).where('email', '=', email).execute();
    await store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', key.id).execute();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await expectProblem(await enrolment.register(new SoftKey(server.origin)), 403, 'invitation-refused');
    expect(await keysOf(email)).toHaveLength(1);
  });

  test('of an administrator makes one, an ordinary one afterwards takes nothing away', async () => {
    const email = newAddress();
    const { store } = server.context;
    const admin = async () =>
      (await store.selectFrom('people').where('email', '=', email).select('admin').executeTakeFirst())?.admin;
    const { code } = await invite(store, Date.now(), { email, admin: true });
    const first = new SoftKey(server.origin);
    await jsonOf(await (await Enrolment.open(server.origin, code)).register(first));
    expect(await admin()).toBe(1);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await jsonOf(await enrolment.confirm(first));
    await jsonOf(await enrolment.register(new SoftKey(server.origin)));
    expect(await admin()).toBe(1);
  });
});

describe('an address is refused at the invitation, with the reason', () => {
  const refused: [string, RegExp][] = [
    [`${'a'.repeat(53)}@example.com`, /65 characters.*at most 64/],
    ['al ice@example.com', /" "/],
    ['alice/admin@example.com', /"\/"/],
    ['älice@example.com', /"ä"/],
    ['alice*@example.com', /"\*"/],
    ["o'neill@example.com", /"'"/],
    ['alice\n@example.com', /"\\n"/],
    // AWS takes it in a session name, but not in the session tag vouch:Email.
    ['alice,bob@example.com', /","/],
    ['\u212Aate@example.com', /"\u212A"/],
    ['alice', /not an e-mail address/],
    ['alice@localhost', /not an e-mail address/],
    ['@example.com', /not an e-mail address/],
    ['alice@@example.com', /not an e-mail address/],
    ['alice@example..com', /not an e-mail address/],
    ['', /not an e-mail address/],
  ];
  for (const [address, reason] of refused) {
    test(JSON.stringify(address), async () => {
      const { store } = server.context;
      const before = await store.selectFrom('invitations').select('id').execute();
      await expect(invite(store, Date.now(), { email: address, admin: false })).rejects.toThrow(reason);
      expect(await store.selectFrom('invitations').select('id').execute()).toHaveLength(before.length);
    });
  }

  test('but one of 64 characters in capitals is taken, in lower case', async () => {
    const address = `${'A'.repeat(48)}+x_y@EXAMPLE.com`;
    const { email } = await invite(server.context.store, Date.now(), { email: ` ${address} `, admin: false });
    expect(email).toBe(address.toLowerCase());
    expect(email).toHaveLength(64);
  });
});

describe('an enrolment', () => {
  test('belongs to the page that opens it first', async () => {
    const email = newAddress();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const answer = new SoftKey(server.origin).create(await enrolment.options());
    const claims: Record<string, string>[] = [
      {},
      { 'vouch-page': '' },
      { 'vouch-page': 'null' },
      { 'vouch-page': enrolment.ticket },
      { 'vouch-page': enrolment.poll },
      { 'vouch-page': 'A'.repeat(43) },
      { cookie: `vouch-page=${enrolment.page}; vouch-enroll=${enrolment.page}` },
    ];
    for (const headers of claims) {
      for (const step of ['open', 'options', 'verify', 'confirm/options', 'confirm/verify']) {
        const stranger = new Browser(server.origin);
        const path = `/enroll/${enrolment.ticket}/${step}`;
        await expectProblem(await stranger.post(path, answer, headers), 403, 'other-browser');
      }
    }
    expect(await keysOf(email)).toEqual([]);
    await jsonOf(await enrolment.post('open'));
    await jsonOf(await enrolment.post('verify', answer));
  });

  test('cannot go on before it is opened', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newAddress()));
    await expectProblem(await enrolment.post('options'), 403, 'other-browser');
  });

  test('is opened with no secret that the page brings along', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newAddress()));
    const planted = 'A'.repeat(43);
    const path = `/enroll/${enrolment.ticket}/open`;
    const opened = await jsonOf<{ page: string }>(
      await new Browser(server.origin).post(path, {}, { 'vouch-page': planted }),
    );
    expect(opened.page).not.toBe(planted);
    const planter = await new Browser(server.origin).post(path, {}, { 'vouch-page': planted });
    await expectProblem(planter, 403, 'other-browser');
  });

  test('opened by 10 browsers at the same moment belongs to one', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newAddress()));
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => new Browser(server.origin).post(`/enroll/${enrolment.ticket}/open`)),
    );
    expect(responses.filter((response) => response.status === 200)).toHaveLength(1);
  });

  test('whose address somebody else reads and opens first enrols no key of his, and is worth nothing to him', async () => {
    const email = newAddress();
    const code = await inviteCode(server, email);
    const hers = await Enrolment.start(server.origin, code);
    // All that he has is the address. He is quicker than her browser.
    const his = new Browser(server.origin);
    const path = (step: string) => `/enroll/${hers.ticket}/${step}`;
    const opened = await jsonOf<{ page: string; words: string }>(await his.post(path('open')));
    expect(JSON.stringify(opened)).not.toContain(email);
    const headers = { 'vouch-page': opened.page };
    const key = new SoftKey(server.origin);
    const forged = key.create({ challenge: 'AAAA', rp: { id: 'localhost' }, user: { id: 'AAAA' } } as never);
    const tries = async () => {
      for (const step of ['options', 'verify', 'confirm/options', 'confirm/verify']) {
        await expectProblem(await his.post(path(step), forged, headers), 403, 'approval-needed');
      }
    };
    await tries();
    // He can agree in nobody's name.
    for (const poll of [hers.ticket, opened.page, 'A'.repeat(43)]) {
      const answer = await his.post('/enroll/approve', { poll, words: opened.words });
      await expectProblem(answer, 410, 'interaction-over');
    }
    await tries();
    // Her page shows no words; her terminal shows his, and she says no.
    await expectProblem(await hers.browser.post(path('open')), 403, 'other-browser');
    expect(await jsonOf(await hers.status())).toMatchObject({ state: 'opened', words: opened.words });
    expect((await hers.answer('deny')).status).toBe(204);
    for (const step of ['open', 'options', 'verify']) {
      await expectProblem(await his.post(path(step), forged, headers), 410, 'interaction-over');
    }
    await expectProblem(await hers.answer('approve', opened.words), 410, 'interaction-over');
    await expectProblem(await hers.status(), 404, 'interaction-over');
    expect(await keysOf(email)).toEqual([]);
    // The invitation is still good.
    await jsonOf(await (await Enrolment.open(server.origin, code)).register(new SoftKey(server.origin)));
  });

  test('that the terminal agreed to by mistake still ends when it says no', async () => {
    const code = await inviteCode(server, newAddress());
    const enrolment = await Enrolment.open(server.origin, code);
    const registration = new SoftKey(server.origin).create(await enrolment.options());
    expect((await enrolment.answer('deny')).status).toBe(204);
    await expectProblem(await enrolment.status(), 404, 'interaction-over');
    await expectProblem(await enrolment.post('verify', registration), 410, 'interaction-over');
    // Not after the key: that is there, and the answer does not say otherwise.
    const again = await Enrolment.open(server.origin, code);
    await jsonOf(await again.register(new SoftKey(server.origin)));
    await again.answer('deny');
    expect(await jsonOf(await again.status())).toMatchObject({ state: 'done' });
  });

  test('takes no key where the terminal says no while the key is checked', async () => {
    const email = newAddress();
    const code = await inviteCode(server, email);
    const enrolment = await Enrolment.open(server.origin, code);
    const registration = new SoftKey(server.origin).create(await enrolment.options());
    const { store } = server.context;
    const transaction = store.transaction.bind(store);
    // The moment between what was looked at first and the transaction.
    vi.spyOn(store, 'transaction').mockImplementationOnce(() => {
      const begun = transaction();
      const execute = begun.execute.bind(begun);
      begun.execute = async (callback) => {
        await store
          .updateTable('enrolments')
          .set({ answer: 'no' })
          .where('ticket_hash', '=', hash(enrolment.ticket))
          .execute();
        return execute(callback);
      };
      return begun;
    });
    await expectProblem(await enrolment.post('verify', registration), 403, 'other-browser');
    expect(await keysOf(email)).toEqual([]);
    await jsonOf(await (await Enrolment.open(server.origin, code)).register(new SoftKey(server.origin)));
  });

  test('is agreed to with the words that its page shows, and with no others', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newAddress()));
    await expectProblem(await enrolment.answer('approve', 'amber otter canyon'), 410, 'interaction-over');
    const { words } = await jsonOf<{ words: string }>(await enrolment.post('open'));
    for (const wrong of ['amber otter canyon', `${words} `.repeat(2), words.toUpperCase(), '%']) {
      await expectProblem(await enrolment.answer('approve', wrong), 410, 'interaction-over');
    }
    await expectProblem(await enrolment.answer('approve'), 400, 'bad-request');
    await expectProblem(await enrolment.post('options'), 403, 'approval-needed');
    expect((await enrolment.answer('approve', words)).status).toBe(204);
    // Its first answer may have been lost.
    expect((await enrolment.answer('approve', words)).status).toBe(204);
    await enrolment.options();
  });

  test('cannot be agreed to when it is over', async () => {
    const enrolment = await Enrolment.start(server.origin, await inviteCode(server, newAddress()));
    const { words } = await jsonOf<{ words: string }>(await enrolment.post('open'));
    moveClock(server, 15 * 60_000);
    await expectProblem(await enrolment.answer('approve', words), 410, 'interaction-over');
  });

  test('whose page gave the code needs no terminal: its ticket is in no address, and its secret with that page', async () => {
    const email = newAddress();
    const browser = new Browser(server.origin);
    const start = { invitation: await inviteCode(server, email), page: true };
    const started = await jsonOf<Record<string, string>>(await browser.post('/enroll/start', start));
    expect(Object.keys(started).sort()).toEqual(['email', 'expiresAt', 'page', 'ticket']);
    const path = (step: string) => `/enroll/${started.ticket}/${step}`;
    await expectProblem(await browser.post(path('open')), 403, 'other-browser');
    const headers = { 'vouch-page': started.page ?? '' };
    const details = await jsonOf(await browser.post(path('open'), {}, headers));
    expect(details).toMatchObject({ email, client: 'this browser', machine: null, words: null, approved: true });
    const options = await jsonOf(await browser.post(path('options'), {}, headers));
    const key = new SoftKey(server.origin);
    await jsonOf(await browser.post(path('verify'), key.create(options as never), headers));
    await signIn(server.origin, key);
  });

  test('of a further key is renewed at the touch of the first: the page’s old secret is worth nothing then', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const before = enrolment.page ?? '';
    await jsonOf(await enrolment.confirm(key));
    expect(enrolment.page).not.toBe(before);
    for (const step of ['open', 'options', 'verify', 'confirm/options']) {
      const old = await new Browser(server.origin).post(
        `/enroll/${enrolment.ticket}/${step}`,
        new SoftKey(server.origin).create({ challenge: 'AAAA', rp: {}, user: { id: 'AAAA' } } as never),
        { 'vouch-page': before },
      );
      await expectProblem(old, 403, 'other-browser');
    }
    await jsonOf(await enrolment.register(new SoftKey(server.origin)));
    expect(await keysOf(email)).toHaveLength(2);
  });

  test('ends with its invitation, however short the rest of that is', async () => {
    const email = newAddress();
    const code = await inviteCode(server, email);
    const ends = Date.now() + 61_000;
    await server.context.store
      .updateTable('invitations')
      .set({ expires_at: ends })
      .where('email', '=', email)
      .execute();
    const started = await jsonOf<{ expiresAt: string }>(await start(code));
    expect(Date.parse(started.expiresAt)).toBe(ends);
    const before = Date.now();
    const usual = await jsonOf<{ expiresAt: string }>(await start(await inviteCode(server, newAddress())));
    const startedAt = Date.parse(usual.expiresAt) - 15 * 60_000;
    expect(startedAt).toBeGreaterThanOrEqual(before);
    expect(startedAt).toBeLessThanOrEqual(Date.now());
  });

  test('is over after 15 minutes', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    moveClock(server, 15 * 60_000);
    await expectProblem(await enrolment.post('options'), 403, 'invitation-refused');
    const status = await enrolment.browser.post('/enroll/status', { poll: enrolment.poll });
    await expectProblem(status, 404, 'interaction-over');
  });

  test('is told to who holds the poll secret, not to who holds the ticket', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const status = await enrolment.browser.post('/enroll/status', { poll: enrolment.ticket });
    await expectProblem(status, 404, 'interaction-over');
    await expectProblem(await enrolment.browser.post(`/enroll/${enrolment.poll}/open`), 403, 'invitation-refused');
  });

  test('that is nobody’s, too long or not text is refused', async () => {
    const browser = new Browser(server.origin);
    await expectProblem(await browser.post('/enroll/nobody/open'), 403, 'invitation-refused');
    await expectProblem(await browser.post(`/enroll/${'x'.repeat(101)}/open`), 400, 'bad-request');
    await expectProblem(await browser.post('/enroll/%E0%A4%A/open'), 400, 'bad-request');
  });

  test('is written to the audit table', async () => {
    const email = newAddress();
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    const key = new SoftKey(server.origin);
    await enrolment.register(key);
    const rows = await server.context.store
      .selectFrom('audit')
      .where('email', '=', email)
      .orderBy('id')
      .select(['event', 'key_id'])
      .execute();
    expect(rows).toEqual([
      { event: 'invited', key_id: null },
      { event: 'enrolled', key_id: key.id },
    ]);
  });
});

describe('a registration is refused', () => {
  const wrong: [string, Ceremony, string][] = [
    ['from another origin', { origin: 'https://localhost.evil.example' }, 'key-refused'],
    ['for another RP ID', { rpId: 'evil.example' }, 'key-refused'],
    ['without user presence', { userPresent: false }, 'key-refused'],
    ['without user verification', { userVerified: false }, 'user-not-verified'],
    ['of the type of a sign-in', { type: 'webauthn.get' }, 'key-refused'],
    ['from a frame', { crossOrigin: true }, 'key-refused'],
    ['that does not say whether it is from a frame', { crossOrigin: null }, 'key-refused'],
    ['of a copy of a passkey', { backedUp: true }, 'key-refused'],
    [
      'with a public key that is none',
      {
        publicKey: new Map<number, unknown>([
          [1, 2],
          [3, -7],
        ]),
      },
      'key-refused',
    ],
    ['with another ID than the key signed', { signedId: randomBytes(32).toString('base64url') }, 'key-refused'],
    [
      'with the same ID written otherwise',
      { credentialId: `${'A'.repeat(42)}B`, signedId: 'A'.repeat(43) },
      'key-refused',
    ],
    ['with an ID of 15 bytes', { credentialId: 'A'.repeat(20) }, 'key-refused'],
    ['with an ID of 1,024 bytes', { credentialId: Buffer.alloc(1024).toString('base64url') }, 'key-refused'],
    ['with an empty signature', { attestation: 'self', statement: { sig: new Uint8Array() } }, 'key-refused'],
    ['without an algorithm of its signature', { attestation: 'self', statement: { alg: 0 } }, 'key-refused'],
    ['with a statement that should be empty', { statement: { x5c: null } }, 'key-refused'],
    ['from a frame, by a browser that says nothing but where', { topOrigin: 'https://evil.example' }, 'key-refused'],
    ['from a frame whose site has no name', { topOrigin: '' }, 'key-refused'],
    ['with a bad attestation signature', { attestation: 'self', badSignature: true }, 'key-refused'],
    ['with a challenge that nobody made', { challenge: 'A'.repeat(43) }, 'challenge-used'],
  ];
  for (const [name, how, problem] of wrong) {
    test(name, async () => {
      const email = newAddress();
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
      const key = new SoftKey(server.origin);
      await expectProblem(await enrolment.register(key, how), 403, problem);
      expect(await peopleOf(email)).toBe(0);
      // The invitation is not used up by that.
      await jsonOf(await enrolment.register(key));
    });
  }

  test('but taken with an ID of 1,023 bytes, and with one of 16', async () => {
    for (const length of [16, 1023]) {
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
      const credentialId = randomBytes(length).toString('base64url');
      await jsonOf(await enrolment.register(new SoftKey(server.origin), { credentialId }));
    }
  });

  test('with a certificate’s signature over something else', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const attestation = await selfMadeCertificate();
    const response = await enrolment.register(new SoftKey(server.origin), { attestation, badSignature: true });
    await expectProblem(response, 403, 'key-refused');
  });

  test('of a passkey that can be copied to other devices', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const key = new SoftKey(server.origin);
    const answer = key.create(await enrolment.options(), { backupEligible: true });
    await expectProblem(await enrolment.post('verify', answer), 403, 'key-refused');
  });

  test('with an algorithm that was not offered', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const response = await enrolment.register(new SoftKey(server.origin, { curve: 'P-384' }));
    await expectProblem(response, 403, 'key-refused');
  });

  test('with a challenge used before, old, of another enrolment, or of a sign-in', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const key = new SoftKey(server.origin);
    const options = await enrolment.options();
    await expectProblem(await enrolment.post('verify', key.create(options, { rpId: 'x' })), 403, 'key-refused');
    await expectProblem(await enrolment.post('verify', key.create(options)), 403, 'challenge-used');

    const other = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const { challenge } = await other.options();
    await expectProblem(await enrolment.register(key, { challenge }), 403, 'challenge-used');

    const page = await (await SignIn.open(server.origin)).options();
    await expectProblem(await enrolment.register(key, { challenge: page.challenge }), 403, 'challenge-used');

    const old = await enrolment.options();
    moveClock(server, 5 * 60_000);
    await expectProblem(await enrolment.post('verify', key.create(old)), 403, 'challenge-used');
  });

  test('of a credential ID that another person has, and of one’s own again', async () => {
    const { email, key } = await enrolPerson(server);
    const stranger = newAddress();
    const theirs = await Enrolment.open(server.origin, await inviteCode(server, stranger));
    const response = await theirs.register(new SoftKey(server.origin), { credentialId: key.id });
    await expectProblem(response, 403, 'key-refused');
    expect(await peopleOf(stranger)).toBe(0);

    const again = await Enrolment.open(server.origin, await inviteCode(server, email));
    await again.confirm(key);
    expect((await again.options()).excludeCredentials).toMatchObject([{ id: key.id, transports: ['usb'] }]);
    await expectProblem(await again.register(key), 403, 'key-refused');
    await signIn(server.origin, key);
  });

  test('or taken without them, when its transports are nonsense', async () => {
    for (const transports of ['usb', 7, { length: 1 }, [['usb'], null, 'USB', 'x'.repeat(30), 'nfc']]) {
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
      const key = new SoftKey(server.origin);
      const answer = key.create(await enrolment.options());
      await jsonOf(await enrolment.post('verify', { ...answer, response: { ...answer.response, transports } }));
      const row = await server.context.store.selectFrom('keys').where('id', '=', key.id).select('transports').execute();
      expect(row[0]?.transports).toBe(Array.isArray(transports) ? '["nfc"]' : '[]');
    }
  });

  const bodies: [string, unknown][] = [
    ['an empty object', {}],
    ['no response', { id: 'a', rawId: 'a', type: 'public-key' }],
    ['a list as response', { id: 'a', rawId: 'a', type: 'public-key', response: [] }],
    ['numbers', { id: 'a', rawId: 'a', type: 'public-key', response: { clientDataJSON: 7, attestationObject: 7 } }],
    ['two IDs', { id: 'a', rawId: 'b', type: 'public-key', response: {} }],
    ['a long ID', { id: 'a'.repeat(1401), rawId: 'a'.repeat(1401), type: 'public-key', response: {} }],
    ['another type', { id: 'a', rawId: 'a', type: 'password', response: {} }],
  ];
  for (const [name, body] of bodies) {
    test(`with ${name}`, async () => {
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
      const response = await enrolment.post('verify', body);
      expect([400, 403]).toContain(response.status);
      const page = await SignIn.open(server.origin);
      expect([400, 403]).toContain((await page.post('verify', body)).status);
    });
  }

  test('with hostile clientData and attestation, never with an internal error', async () => {
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newAddress()));
    const page = await SignIn.open(server.origin);
    const { key } = await enrolPerson(server);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const { challenge } = await enrolment.options();
    const clientData = { type: 'webauthn.create', challenge, origin: server.origin };
    const answers: [unknown, unknown][] = [
      [encode(null), ''],
      [encode([]), ''],
      [encode('text'), ''],
      [encode({ ...clientData, challenge: { toString: 1 } }), ''],
      [encode(clientData), ''],
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 7],
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 'AAAA'],
      // CBOR: a text of 2^32 bytes, a map that is cut off, lists within lists.
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 'ev____8'],
      [encode({ ...clientData, challenge: (await enrolment.options()).challenge }), 'o2NmbXQ'],
      [
        encode({ ...clientData, challenge: (await enrolment.options()).challenge }),
        Buffer.alloc(9_000, 0x81).toString('base64url'),
      ],
    ];
    for (const [clientDataJSON, rest] of answers) {
      const response = {
        clientDataJSON,
        attestationObject: rest,
        authenticatorData: rest,
        signature: rest,
        userHandle: rest,
      };
      const body = { id: key.id, rawId: key.id, type: 'public-key', response };
      expect((await enrolment.post('verify', body)).status).toBe(403);
      expect((await page.post('verify', body)).status).toBe(403);
    }
  });
});

describe('a second key', () => {
  test('needs a touch of the first', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    expect(await jsonOf(await enrolment.post('open'))).toMatchObject({ needsConfirmation: true });
    await expectProblem(await enrolment.post('options'), 403, 'confirmation-needed');
    const confirmation = await jsonOf<{ allowCredentials: { id: string }[] }>(await enrolment.post('confirm/options'));
    expect(confirmation.allowCredentials.map((item) => item.id)).toEqual([key.id]);

    await jsonOf(await enrolment.confirm(key));
    expect(await jsonOf(await enrolment.post('open'))).toMatchObject({ needsConfirmation: false });
    const second = new SoftKey(server.origin);
    await jsonOf(await enrolment.register(second));
    expect(await keysOf(email)).toEqual(['Security key', 'Security key 2']);
    // Both keys sign for the same user handle.
    expect(second.userHandle).toBe(key.userHandle);
    await signIn(server.origin, second);
    await signIn(server.origin, key);
  });

  test('takes no challenge of the confirmation for the registration, nor the other way round', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await enrolment.confirm(key);
    const confirm = await jsonOf<{ challenge: string }>(await enrolment.post('confirm/options'));
    const second = new SoftKey(server.origin);
    const response = await enrolment.register(second, { challenge: confirm.challenge });
    await expectProblem(response, 403, 'challenge-used');
    const { challenge } = await enrolment.options();
    await expectProblem(await enrolment.confirm(key, { challenge }), 403, 'challenge-used');
  });

  test('is confirmed by a key that says nothing of its user: it was asked for by its ID', async () => {
    const { email, key } = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await jsonOf(await enrolment.confirm(key, { userHandle: null }));
  });

  test('is not confirmed by another person’s key', async () => {
    const { email } = await enrolPerson(server);
    const other = await enrolPerson(server);
    const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
    await expectProblem(await enrolment.confirm(other.key), 403, 'unknown-key');
    await expectProblem(await enrolment.post('options'), 403, 'confirmation-needed');
    expect(await keysOf(email)).toHaveLength(1);
  });

  const wrong: [string, Ceremony, string][] = [
    ['without user verification', { userVerified: false }, 'user-not-verified'],
    ['with a bad signature', { badSignature: true }, 'assertion-refused'],
    ['from another origin', { origin: 'https://evil.example' }, 'assertion-refused'],
    ['with a counter that went back', { counter: 1 }, 'counter-went-back'],
  ];
  for (const [name, how, problem] of wrong) {
    test(`is not confirmed ${name}`, async () => {
      const { email, key } = await enrolPerson(server);
      const enrolment = await Enrolment.open(server.origin, await inviteCode(server, email));
      await expectProblem(await enrolment.confirm(key, how), 403, problem);
      await expectProblem(await enrolment.post('options'), 403, 'confirmation-needed');
    });
  }

  test('is not enrolled when the key that confirmed has been removed since, and another is there', async () => {
    const { email, key } = await enrolPerson(server);
    const first = await Enrolment.open(server.origin, await inviteCode(server, email));
    await first.confirm(key);
    await jsonOf(await first.register(new SoftKey(server.origin)));
    const second = await Enrolment.open(server.origin, await inviteCode(server, email));
    await second.confirm(key);
    await server.context.store.updateTable('keys').set({ removed_at: 1 }).where('id', '=', key.id).execute();
    await expectProblem(await second.post('options'), 403, 'confirmation-needed');
  });

  test('of two first keys for one new person at the same moment: one person, the other needs confirmation', async () => {
    const email = newAddress();
    const { store } = server.context;
    const first = await Enrolment.open(server.origin, await inviteCode(server, email));
    const second = await Enrolment.open(server.origin, await inviteCode(server, email));
    // The second invitation made the first void: as if it had not.
    await store
      .updateTable('invitations')
      .set({ expires_at: Date.now() + 60_000 })
      .where('email', '=', email)
      .execute();
    const answers = await Promise.all(
      [first, second].map(async (enrolment) => new SoftKey(server.origin).create(await enrolment.options())),
    );
    const responses = await Promise.all([first.post('verify', answers[0]), second.post('verify', answers[1])]);
    expect(responses.map((response) => response.status).sort()).toEqual([200, 403]);
    for (const response of responses) {
      if (response.status === 403) await expectProblem(response, 403, 'confirmation-needed');
    }
    expect(await peopleOf(email)).toBe(1);
    expect(await keysOf(email)).toHaveLength(1);
    const open = await store
      .selectFrom('invitations')
      .where('email', '=', email)
      .where('used_at', 'is', null)
      .select('id')
      .execute();
    expect(open).toHaveLength(1);
  });
});

describe('the administrator’s policy', () => {
  const yubikey = '2fc0579f-8113-47ea-b116-bb5a8db9202a';

  async function withServer(settings: Record<string, string>, check: (strict: TestServer) => Promise<void>) {
    const strict = await startServer(settings);
    try {
      await check(strict);
    } finally {
      await strict.close();
    }
  }

  test('VOUCH_ALLOWED_AAGUIDS refuses every other model', () =>
    withServer({ VOUCH_ALLOWED_AAGUIDS: yubikey.toUpperCase() }, async (strict) => {
      const enrolment = await Enrolment.open(strict.origin, await inviteCode(strict, newAddress()));
      await expectProblem(await enrolment.register(new SoftKey(strict.origin)), 403, 'key-refused');
      const allowed = new SoftKey(strict.origin, { aaguid: yubikey });
      expect(await jsonOf(await enrolment.register(allowed))).toMatchObject({
        key: { name: 'YubiKey 5 NFC', model: 'YubiKey 5 NFC' },
      });
    }));

  test('VOUCH_REQUIRE_ATTESTATION_CERT refuses keys without a certificate', () =>
    withServer({ VOUCH_REQUIRE_ATTESTATION_CERT: 'true' }, async (strict) => {
      const enrolment = await Enrolment.open(strict.origin, await inviteCode(strict, newAddress()));
      for (const attestation of ['none', 'self'] as const) {
        const response = await enrolment.register(new SoftKey(strict.origin), { attestation });
        await expectProblem(response, 403, 'key-refused');
      }
      // What the verifier takes for no certificate, and what is none.
      const { der, privateKey } = await selfMadeCertificate();
      for (const x5c of [
        null,
        false,
        0,
        '',
        undefined,
        [],
        new Map(),
        true,
        7,
        'x',
        der,
        [null],
        [''],
        [der.toString()],
      ]) {
        const statement = { x5c: x5c instanceof Buffer ? Uint8Array.from(x5c) : x5c };
        const response = await enrolment.register(new SoftKey(strict.origin), { attestation: 'self', statement });
        await expectProblem(response, 403, 'key-refused');
      }
      const beside = { x5c: [Uint8Array.from(der), null] };
      const mixed = await enrolment.register(new SoftKey(strict.origin), {
        attestation: { der, privateKey },
        statement: beside,
      });
      await expectProblem(mixed, 403, 'key-refused');
      await jsonOf(await enrolment.register(new SoftKey(strict.origin), { attestation: { der, privateKey } }));
    }));
});
