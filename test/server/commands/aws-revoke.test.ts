import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { AuditEntry } from '../../../server/audit/audit.ts';
import { chooseEngine } from '../../../server/store/choose-engine.ts';
import { openForServing } from '../../../server/store/open-for-issuer.ts';
import type { Store } from '../../../server/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { policiesPut } from '../aws/revoke/readers.ts';
import { runScript } from '../aws/template/readers.ts';
import { vouchServer } from '../program.ts';
import { addAudit, personRow } from '../rows.ts';
import { localSettings } from '../settings.ts';

const [FIRST, SECOND] = ['123456789012', '210987654321'];
const ROLE = `arn:aws:iam::${FIRST}:role/VouchDeveloper`;
const OPS = `arn:aws:iam::${FIRST}:role/team/Ops`;
const ELSEWHERE = `arn:aws:iam::${SECOND}:role/VouchDeveloper`;
const PAYMENTS = `arn:aws:iam::${SECOND}:role/Payments`;
const email = 'alice@example.com';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const folder = temporaryFolder();

/** A database, in which Alice had tokens for roles a minute ago. */
async function database(roles: readonly string[], prepare: (store: Store) => Promise<unknown> = async () => {}) {
  const settings = await localSettings();
  /** Does something with the database. */
  const use = async <Result>(work: (store: Store) => Promise<Result>) => {
    const store = await openForServing(chooseEngine(settings.VOUCH_DATABASE_URL), settings.VOUCH_ISSUER, 1);
    try {
      return await work(store);
    } finally {
      await store.destroy();
    }
  };
  await use(async (store) => {
    await addAudit(store, Date.now() - MINUTE, ...roles.map(token));
    await prepare(store);
  });
  const revoke = (...args: string[]) => vouchServer(['aws-revoke', email, ...args], settings);
  return { settings, use, revoke };
}

const token = (role: string): AuditEntry => ({
  event: 'aws-token-issued',
  actor: email,
  subject: email,
  detail: { role, jti: '1' },
});

const addPerson = (store: Store, disabledAt: number | null = null) =>
  store
    .insertInto('people')
    .values(personRow('alice', email, { disabled_at: disabledAt }))
    .execute();

test('the script changes only the roles of the account that it runs in', async () => {
  const { revoke } = await database([ROLE, OPS, ELSEWHERE, OPS.replace('team', 'other')]);
  const { code, stdout } = await revoke();
  expect(code).toBe(0);
  const put = (account: string) => policiesPut(runScript(stdout, folder, account).calls).map(({ role }) => role);
  expect(put(FIRST)).toEqual(['VouchDeveloper', 'Ops']);
  expect(put(SECOND)).toEqual(['VouchDeveloper']);
  const other = runScript(stdout, folder, '999999999999');
  expect(other.code).toBe(1);
  expect(other.stderr).toBe(
    `The AWS CLI's credentials are for account 999999999999, not for ${FIRST} or ${SECOND}. Nothing was changed.\n`,
  );
  expect(policiesPut(other.calls)).toEqual([]);
});

test('the script goes on after a role that AWS refuses to change, and ends with 1', async () => {
  const { stdout } = await (await database([ROLE, OPS])).revoke();
  const { code, stderr, calls } = runScript(stdout, folder, FIRST, '--role-name=VouchDeveloper');
  expect([code, stderr]).toEqual([1, `NOT denied in the role VouchDeveloper of account ${FIRST}\n`]);
  expect(policiesPut(calls).map(({ role }) => role)).toEqual(['VouchDeveloper', 'Ops']);
  const failing = runScript(stdout, folder, FIRST, 'get-caller-identity');
  expect([failing.code, policiesPut(failing.calls)]).toEqual([1, []]);
});

test('whatever a path of a role holds, sh reads the script, and passes nothing but names', async () => {
  const odd = `arn:aws:iam::${FIRST}:role/$(id)'\`"\\/Odd=role+a,b.c@d-e_f`;
  const { stdout } = await (await database([odd])).revoke();
  execFileSync('sh', ['-n'], { input: stdout });
  expect(policiesPut(runScript(stdout, folder).calls)).toEqual([
    { role: 'Odd=role+a,b.c@d-e_f', name: `VouchRevoke-${email}`, document: expect.stringContaining(`"${email}"`) },
  ]);
});

test.each(['cloudformation', 'terraform'])(
  '%s is for one account, which must be named if there are several',
  async (format) => {
    const { revoke } = await database([ROLE, ELSEWHERE]);
    const both = await revoke('--format', format);
    expect([both.code, both.stdout]).toEqual([2, '']);
    expect(both.stderr).toMatch(
      new RegExp(
        `^vouch-server: The roles are of 2 AWS accounts, and ${format} works .*\\n.*${FIRST}, ${SECOND}.\\n.*--account`,
      ),
    );
    const one = await revoke('--format', format, '--account', SECOND);
    expect([one.code, one.stdout]).toEqual([0, expect.stringContaining('VouchDeveloper')]);
    expect(one.stderr).toContain(`Roles of ${FIRST} are not in it: print them with --account too.`);
  },
);

test('a role that the server cannot know is added by --role', async () => {
  const { revoke } = await database([ROLE]);
  expect((await revoke()).stderr).toContain('It does not reach roles that are assumed through these.');
  const { stdout, stderr } = await revoke('--role', PAYMENTS, ROLE);
  expect(stderr).not.toContain('It does not reach');
  expect(policiesPut(runScript(stdout, folder, SECOND).calls).map(({ role }) => role)).toEqual(['Payments']);
  expect(policiesPut(runScript(stdout, folder, FIRST).calls).map(({ role }) => role)).toEqual(['VouchDeveloper']);
});

test('--json has the roles, the policy and the times; --format is not for it', async () => {
  const { revoke } = await database([ELSEWHERE, ROLE]);
  const before = Date.now();
  const { code, stdout, stderr } = await revoke('--json', '--role', PAYMENTS);
  expect([code, stderr]).toEqual([0, '']);
  const printed = JSON.parse(stdout);
  expect(printed).toEqual({
    email,
    issuedBefore: expect.any(String),
    deletableAt: expect.any(String),
    awsCredentialsUntil: expect.any(String),
    policyName: `VouchRevoke-${email}`,
    policy: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: {
            StringEquals: { 'aws:SourceIdentity': email },
            DateLessThan: { 'aws:TokenIssueTime': printed.issuedBefore.replace('.000', '') },
          },
        },
      ],
    },
    roles: [
      { arn: ROLE, account: FIRST, name: 'VouchDeveloper', lastTokenAt: expect.any(String) },
      { arn: PAYMENTS, account: SECOND, name: 'Payments', lastTokenAt: null },
      { arn: ELSEWHERE, account: SECOND, name: 'VouchDeveloper', lastTokenAt: expect.any(String) },
    ],
  });
  const issuedBefore = Date.parse(printed.issuedBefore);
  expect(issuedBefore).toBeGreaterThanOrEqual(before + 6 * MINUTE);
  expect(issuedBefore).toBeLessThan(Date.now() + 6 * MINUTE + 1000);
  expect(Date.parse(printed.deletableAt)).toBe(issuedBefore + 12 * HOUR);
  expect(Date.parse(printed.awsCredentialsUntil)).toBe(Date.parse(printed.roles[0].lastTokenAt) + 66 * MINUTE);
  expect((await revoke('--json', '--format', 'cli')).code).toBe(2);
});

test('a person who was removed, or is shut out, is still in the audit trail; only others are said to be able to sign in', async () => {
  const warning = `${email} can still sign in and get new credentials.`;
  const removed = await database([ROLE]);
  expect(await removed.revoke()).toMatchObject({ code: 0, stderr: expect.not.stringContaining(warning) });
  const disabled = await database([ROLE], (store) => addPerson(store, 1));
  expect(await disabled.revoke()).toMatchObject({ code: 0, stderr: expect.not.stringContaining(warning) });
  const active = await database([ROLE], (store) => addPerson(store));
  expect(await active.revoke()).toMatchObject({ code: 0, stderr: expect.stringContaining(warning) });
});

test('the address may be written in capitals', async () => {
  const { settings } = await database([ROLE]);
  const { code, stdout } = await vouchServer(['aws-revoke', 'Alice@Example.COM'], settings);
  expect([code, stdout]).toEqual([0, expect.stringContaining(`"aws:SourceIdentity": "${email}"`)]);
});

test('when nothing can be left to deny, it says so, prints nothing to run, and succeeds', async () => {
  const long = 12 * HOUR + 6 * MINUTE;
  const { revoke, use } = await database([], (store) => addAudit(store, Date.now() - long, token(ROLE)));
  expect(await revoke()).toEqual({
    code: 0,
    stdout: '',
    stderr: `vouch-server: Nothing to deny: ${email} had no token for AWS in the last 12 hours.\n`,
  });
  const { code, stdout } = await revoke('--json');
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { roles: [], awsCredentialsUntil: null }]);
  expect(await use(denials)).toEqual([]);
  await use((store) => addAudit(store, Date.now() - long + MINUTE, token(ROLE)));
  expect((await revoke()).stdout).toContain('VouchDeveloper');
});

test('an address that nobody ever had is an error: it is probably mistyped', async () => {
  const { revoke, use } = await database([]);
  const unknown = await revoke('--account', FIRST);
  expect([unknown.code, unknown.stdout]).toEqual([1, '']);
  expect(unknown.stderr).toMatch(/^vouch-server: Nobody here has the address "alice@example.com"\.\n/);
  expect((await revoke('--json')).code).toBe(1);
  await use((store) => addPerson(store));
  expect((await revoke('--account', FIRST)).code).toBe(0);
});

test.each<[string, string[], RegExp]>([
  ['a role that is not an ARN', ['--role', 'Payments'], /^vouch-server: --role "Payments" is not the ARN of a role/],
  ['a role with a line break', ['--role', `${ROLE}\n`], /^vouch-server: --role "arn:.*\\n" is not/],
  ['an account that is no number', ['--account', '12'], /^vouch-server: --account "12" is not an AWS account's number/],
  ['an account without roles of theirs', ['--account', SECOND], /has no role that is to be denied.*\n.*123456789012\./],
  ['an unknown format', ['--format', 'yaml'], /Allowed choices are cli, cloudformation, terraform/],
])('refuses %s', async (_name, args, message) => {
  const { revoke, use } = await database([ROLE]);
  const { code, stdout, stderr } = await revoke(...args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
  expect(await use(denials)).toEqual([]);
});

const denials = (store: Store) =>
  store.selectFrom('audit').where('event', '=', 'aws-deny-printed').select(['actor', 'subject', 'detail']).execute();

test('the audit trail has who printed it, for whom, for how many roles and until when', async () => {
  const { revoke, use } = await database([ROLE, ELSEWHERE]);
  const { stdout } = await revoke('--json', '--account', FIRST);
  const [row, ...more] = await use(denials);
  expect([row, more]).toEqual([
    { actor: expect.stringMatching(/^cli:./), subject: email, detail: expect.any(String) },
    [],
  ]);
  expect(JSON.parse(row?.detail ?? '')).toEqual({ issuedBefore: JSON.parse(stdout).issuedBefore, roles: 1 });
});
