import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InvitationRequest, invite } from '../../../server/invitations/invite.ts';
import { removeNamedKey } from '../../../server/people/remove-named-key.ts';
import { demote, promote } from '../../../server/people/roles.ts';
import { SoftKey } from '../soft-key.ts';
import { Enrolment, enrolPerson, expectProblem, inviteCode, jsonOf, startServer, type TestServer } from '../support.ts';
import { BY, change } from './store.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const { email } = await enrolPerson(server);
  await change(store(), (transaction) => promote(transaction, Date.now(), email, BY));
});
afterAll(() => server.close());

const store = () => server.context.store;

const code = async (email: string, request: Partial<InvitationRequest>) =>
  (await invite(store(), Date.now(), { email, ...request }, BY)).code;

const roleOf = async (email: string) =>
  (await store().selectFrom('people').where('email', '=', email).select('role').executeTakeFirst())?.role;

/** What the audit trail has of a person's invitations, roles and keys. */
async function eventsOf(email: string) {
  const rows = await store().selectFrom('audit').selectAll().where('subject', '=', email).orderBy('id').execute();
  return rows.map(({ event, actor, reason }) => [event, actor, reason].filter((part) => part !== null).join(' '));
}

const demoted = (email: string) => change(store(), (transaction) => demote(transaction, Date.now(), email, BY));

const keyRemoved = (email: string, { id }: SoftKey) =>
  change(store(), (transaction) => removeNamedKey(transaction, Date.now(), email, id, BY));

test('an invitation as an owner makes an owner of a member, and the audit trail says who decided it', async () => {
  const { email, key } = await enrolPerson(server);
  const enrolment = await Enrolment.open(server.origin, await code(email, { role: 'owner' }));
  await jsonOf(await enrolment.confirm(key));
  await jsonOf(await enrolment.register(new SoftKey(server.origin)));
  expect(await roleOf(email)).toBe('owner');
  expect((await eventsOf(email)).slice(-2)).toEqual([`enrolled ${email}`, 'person-promoted cli:root']);
});

test('an invitation as an owner is void once the person is demoted, even in the middle of an enrolment', async () => {
  const { email, key } = await enrolPerson(server);
  await change(store(), (transaction) => promote(transaction, Date.now(), email, BY));
  const enrolment = await Enrolment.open(server.origin, await code(email, { role: 'owner' }));
  await jsonOf(await enrolment.confirm(key));
  const answer = new SoftKey(server.origin).create(await enrolment.options());
  expect(await demoted(email)).toMatchObject({ changed: true, invitations: 1 });
  await expectProblem(await enrolment.post('verify', answer), 403, 'invitation-refused');
  expect(await roleOf(email)).toBe('member');
  expect((await eventsOf(email)).slice(-2)).toEqual([
    'person-demoted cli:root',
    'invitation-revoked cli:root person-demoted',
  ]);
});

test('an invitation as an owner is void once a member is demoted who is not an owner yet; one as a member is not', async () => {
  const { email } = await enrolPerson(server);
  await inviteCode(server, email);
  expect(await demoted(email)).toMatchObject({ changed: false, invitations: 0 });
  const owners = await code(email, { role: 'owner' });
  expect(await demoted(email)).toMatchObject({ changed: false, invitations: 1 });
  const start = await (await Enrolment.start(server.origin, await inviteCode(server, email))).browser.post(
    '/enroll/start',
    { invitation: owners },
  );
  await expectProblem(start, 403, 'invitation-refused');
});

test('an invitation for a further key is void once the last key is removed: its code would let its finder in', async () => {
  const { email, key } = await enrolPerson(server);
  const second = new SoftKey(server.origin);
  const further = await Enrolment.open(server.origin, await inviteCode(server, email));
  await jsonOf(await further.confirm(key));
  await jsonOf(await further.register(second));
  const found = await Enrolment.open(server.origin, await inviteCode(server, email));
  expect(await keyRemoved(email, key)).toMatchObject({ left: 1, invitations: 0 });
  await expectProblem(await found.post('options'), 403, 'confirmation-needed');
  expect(await keyRemoved(email, second)).toMatchObject({ left: 0, invitations: 1 });
  await expectProblem(await found.post('options'), 403, 'invitation-refused');
  expect((await eventsOf(email)).slice(-2)).toEqual([
    'key-removed cli:root',
    'invitation-revoked cli:root key-removed',
  ]);
});

test('an invitation for a further key is void although the removed last key has confirmed it', async () => {
  const { email, key } = await enrolPerson(server);
  const stolen = await Enrolment.open(server.origin, await inviteCode(server, email));
  await jsonOf(await stolen.confirm(key));
  const answer = new SoftKey(server.origin).create(await stolen.options());
  await keyRemoved(email, key);
  await expectProblem(await stolen.post('verify', answer), 403, 'invitation-refused');
});

test('a recovery’s invitation stays good when the last key is removed meanwhile', async () => {
  const { email, key } = await enrolPerson(server);
  const recovery = await code(email, { replaceKeys: true });
  expect(await keyRemoved(email, key)).toMatchObject({ left: 0, invitations: 0 });
  const enrolment = await Enrolment.open(server.origin, recovery);
  await jsonOf(await enrolment.register(new SoftKey(server.origin)));
});
