import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { countRefusal } from '../../../server/audit/refusals.ts';
import { openForServing } from '../../../server/store/open-for-issuer.ts';
import { SqliteEngine } from '../../../server/store/sqlite/engine.ts';
import type { Store } from '../../../server/store/store.ts';
import { cleanEnvironment } from '../../support/clean-environment.ts';
import { tamper } from '../audit/tampering.ts';
import { program, vouchServer } from '../program.ts';
import { addAudit, emptyAudit } from '../rows.ts';
import { newDatabase } from '../settings.ts';

const [alice, bob] = ['alice@example.com', 'bob@example.com'];
const AT = Date.UTC(2026, 10, 26, 9, 42, 7);

let database: string;
let settings: Record<string, string>;
beforeEach(async () => {
  database = newDatabase();
  settings = {
    VOUCH_ISSUER: 'https://vouch.example.com',
    VOUCH_DATABASE_URL: `sqlite:${database}`,
    TZ: 'Europe/Berlin',
  };
  await write((store) =>
    addAudit(
      store,
      AT,
      {
        event: 'invited',
        actor: 'cli:root',
        subject: alice,
        detail: { role: 'member', replaceKeys: false, expiresAt: AT },
      },
      {
        event: 'signed-in',
        actor: alice,
        subject: alice,
        machine: 'laptop',
        from: { ip: '192.0.2.1', requestId: 'r' },
      },
      { event: 'person-disabled', actor: alice, subject: bob, detail: { text: 'left the \u001b[31mcompany' } },
    ),
  );
});

/** Uses the database as the server does, and leaves it. */
async function write(work: (store: Store) => Promise<unknown>): Promise<void> {
  const store = await openForServing(new SqliteEngine(database), settings.VOUCH_ISSUER ?? '', 1);
  await work(store);
  await store.destroy();
}

const audit = (...args: string[]) => vouchServer(['audit', ...args], settings);
const jsonLines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('vouch-server audit list', () => {
  test('prints a line for each event in local time, and what is still being counted', async () => {
    const now = Date.now();
    await write(async (store) => {
      const refusal = { event: 'sign-in-refused', problem: 'unknown-key', keyId: null } as const;
      for (const ip of ['192.0.2.7', '192.0.2.8']) {
        await countRefusal(store, now, { ...refusal, from: { ip, requestId: 'r' } });
      }
    });
    const { code, stdout, stderr } = await audit('list');
    expect([code, stderr]).toEqual([0, '']);
    const [invited, signedIn, disabled, refused, ...rest] = stdout.split('\n');
    expect(invited).toMatch(
      /^2026-11-26 10:42:07 {2}invited +alice@example\.com by cli:root {2}role member, expiresAt 2026-11-26 10:42:07$/,
    );
    expect(signedIn).toMatch(/^2026-11-26 10:42:07 {2}signed-in +alice@example\.com +laptop, 192\.0\.2\.1$/);
    expect(disabled).toMatch(
      / {2}person-disabled +bob@example\.com by alice@example\.com {2}text "left the .*company"$/,
    );
    expect(refused).toMatch(/ {2}sign-in-refused +unknown +unknown-key, 2 times since \d\d:\d\d so far, 192\.0\.2\.8$/);
    expect(rest).toEqual(['']);
    expect(stdout).not.toContain('\u001b');
  });

  test('says what an event changed, and nothing of what it did not', async () => {
    const by = { actor: 'cli:root', subject: bob };
    await write((store) =>
      addAudit(
        store,
        AT,
        { ...by, event: 'person-end-set', detail: { endsAt: null } },
        { ...by, event: 'aws-deny-printed', detail: { issuedBefore: new Date(AT).toISOString(), roles: 2 } },
        { ...by, event: 'person-removed', detail: { role: 'owner', keys: 0 } },
      ),
    );
    const { stdout } = await audit('list', '--actor', 'cli:root', '--person', bob);
    expect(stdout.match(/(?<=by cli:root +)\S.*$/gm)).toEqual([
      'no end date',
      'issuedBefore 2026-11-26 10:42:07, roles 2',
      'role owner',
    ]);
  });

  test('takes filters, and prints JSON', async () => {
    const { stdout } = await audit('list', '--person', 'Alice@Example.com', '--event', 'signed-in', '--json');
    expect(JSON.parse(stdout)).toEqual({
      events: [
        {
          id: 2,
          at: '2026-11-26T09:42:07.000Z',
          event: 'signed-in',
          result: 'done',
          reason: null,
          actor: alice,
          subject: alice,
          ip: '192.0.2.1',
          machine: 'laptop',
          keyId: null,
          sessionId: null,
          requestId: 'r',
          detail: {},
          hash: expect.stringMatching(/^[\w-]{43}$/),
        },
      ],
      counting: [],
      older: false,
    });
    const limited = await audit('list', '--limit', '1', '--since', '2026-11-26 10:00', '--until', '2026-11-26T09:43Z');
    expect(limited.stdout).toMatch(/^2026-11-26 10:42:07 {2}person-disabled .*\n$/);
    expect(limited.stderr).toMatch(/^There are older ones/);
    expect(await audit('list', '--actor', 'cli:bob')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No such events.\n',
    });
  });

  test.each([
    ['--event', 'signed-inn'],
    ['--since', 'yesterday'],
    ['--limit', '0'],
    ['--person', 'x'],
  ])('refuses %s %s', async (...option) => {
    const { code, stdout, stderr } = await audit('list', ...option);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).not.toBe('');
  });
});

describe('vouch-server audit tail', () => {
  test('prints the last events', async () => {
    await write((store) =>
      addAudit(store, AT, ...Array.from({ length: 20 }, () => ({ event: 'signed-in' as const, actor: 'x' }))),
    );
    expect((await audit('tail')).stdout.split('\n')).toHaveLength(21);
    expect(jsonLines((await audit('tail', '-n', '2', '--json')).stdout).map(({ id }) => id)).toEqual([22, 23]);
    expect((await audit('tail', '-n', '0')).stdout).toBe('');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'goes on with -f until %s, and then closes the database',
    async (signal) => {
      const child = spawn(process.execPath, [program, 'audit', 'tail', '-f', '-n', '1', '--json'], {
        env: cleanEnvironment(settings),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async () => JSON.parse(String((await lines.next()).value));
      expect(await next()).toMatchObject({ id: 3 });
      await write((store) =>
        addAudit(store, AT, { event: 'signed-in', actor: 'a' }, { event: 'signed-in', actor: 'b' }),
      );
      expect([await next(), await next()]).toMatchObject([
        { id: 4, actor: 'a' },
        { id: 5, actor: 'b' },
      ]);
      expect(existsSync(`${database}-wal`)).toBe(true);
      const closed = once(child, 'close');
      child.kill(signal);
      expect(await closed).toEqual([null, signal]);
      expect(existsSync(`${database}-wal`)).toBe(false);
    },
  );
});

describe('vouch-server audit export', () => {
  test('prints what comes after the cursor, and the last line’s number is the next cursor', async () => {
    const first = jsonLines((await audit('export', '--since', '0', '--limit', '2')).stdout);
    expect(first.map(({ id, event }) => [id, event])).toEqual([
      [1, 'invited'],
      [2, 'signed-in'],
    ]);
    const second = jsonLines((await audit('export', '--since', String(first.at(-1)?.id))).stdout);
    expect(second.map(({ id }) => id)).toEqual([3]);
    expect(await audit('export', '--since', '3')).toEqual({ code: 0, stdout: '', stderr: '' });
    const ocsf = jsonLines((await audit('export', '--since', '1', '--format', 'ocsf')).stdout);
    expect(ocsf).toMatchObject([
      { class_uid: 3002, metadata: { uid: '2' }, user: { name: alice }, service: { uid: 'https://vouch.example.com' } },
      { class_uid: 3001, metadata: { uid: '3' }, user: { name: bob } },
    ]);
  });

  test('says what is gone, and refuses a cursor that is no place in this trail', async () => {
    await write(async (store) => {
      await emptyAudit(store);
      await addAudit(store, AT, ...Array.from({ length: 4 }, () => ({ event: 'signed-in' as const, actor: 'x' })));
    });
    await tamper(`sqlite:${database}`, 'delete from audit where id = 5');
    const { code, stdout, stderr } = await audit('export', '--since', '1');
    expect([code, jsonLines(stdout).map(({ id }) => id)]).toEqual([0, [4, 6, 7]]);
    expect(stderr).toBe(
      'vouch-server: Rows 2 to 3 had been deleted for their age before this export.\n' +
        'vouch-server: Row 5 should be here and is missing: run `vouch-server audit verify`.\n',
    );
    const ahead = await audit('export', '--since', '8');
    expect([ahead.code, ahead.stdout]).toEqual([1, '']);
    expect(ahead.stderr).toMatch(/^vouch-server: The audit trail ends at row 7, before the cursor 8\.\n/);
    for (const wrong of ['7d', '-1', '1.5']) {
      expect((await audit('export', `--since=${wrong}`)).code).toBe(2);
    }
    expect((await audit('export')).code).toBe(2);
  });

  test('ends when its reader does, without an error message', async () => {
    await write((store) =>
      addAudit(store, AT, ...Array.from({ length: 5_000 }, () => ({ event: 'signed-in' as const, actor: 'x' }))),
    );
    const child = spawn(process.execPath, [program, 'audit', 'export', '--since', '0'], {
      env: cleanEnvironment(settings),
      stdio: 'pipe',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (part) => {
      said += part;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'close');
    expect([code, said]).toEqual([141, '']);
  });
});
