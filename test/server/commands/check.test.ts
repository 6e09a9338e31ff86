import { expect, test, vi } from 'vitest';
import { addCheck } from '../../../server/commands/check.ts';
import { newDatabase } from '../settings.ts';
import { startServer } from '../support.ts';
import { commandsOf } from './run-command.ts';

test('check prints a line for each check, and what to do; as JSON it has the same; with a failure it ends with 1', async () => {
  const server = await startServer({}, { engine: 'sqlite' });
  const settings = {
    VOUCH_ISSUER: server.origin,
    VOUCH_DATABASE_URL: server.databaseUrl,
    VOUCH_MASTER_KEY: server.masterKey.toString('base64'),
  };
  const run = commandsOf(settings, addCheck);
  const { code, stdout, stderr } = await run('check');
  expect([code, stderr]).toEqual([0, '']);
  const generic = stdout
    .replaceAll(server.origin, 'ORIGIN')
    .replaceAll(server.databaseFile, 'FILE')
    .replace(/[\w-]{43}/, 'KID')
    .replaceAll(new URL(server.origin).port, 'PORT');
  expect(generic).toBe(
    [
      '✓ Settings        ORIGIN, 3 set',
      "✓ Database        FILE can be written, and has this version's schema",
      '✓ Issuer          ORIGIN, for AWS too',
      '✓ Signing keys    KID signs',
      "✓ Clock           compared with the public documents' host's",
      '! What AWS reads  AWS can read ORIGIN',
      '    Warning: AWS cannot reach ORIGIN: this is only for a local AWS.',
      '✓ Proxy           no proxy is needed; listens on 127.0.0.1:PORT, [::1]:PORT',
      '',
    ].join('\n'),
  );
  const asJson = JSON.parse((await run('check', '--json')).stdout);
  expect(asJson).toMatchObject({ ok: true, checks: [{ check: 'settings', status: 'ok' }, {}, {}, {}, {}, {}, {}] });
  await server.close();
  vi.stubEnv('VOUCH_DATABASE_URL', `sqlite:${newDatabase()}`);
  const down = await run('check');
  expect(down).toMatchObject({ code: 1, stderr: 'vouch-server: 1 check of 7 failed.\n' });
  expect(down.stdout).toMatch(
    /\n✗ Database {8}\S+ cannot be used\n {4}There is no database .*\n {4}The server makes it.*\n {2}→ Start the server/,
  );
  expect(down.stdout).toContain('\n- Issuer          not tried: needs database\n');
  expect(JSON.parse((await run('check', '--json')).stdout)).toMatchObject({ ok: false });
});
