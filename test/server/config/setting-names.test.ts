import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../server/config/config.ts';
import { SETTINGS } from '../../../server/config/setting-names.ts';
import { vouchServer } from '../program.ts';
import { HTTPS } from '../settings.ts';

test('every setting that is read is known and documented', () => {
  const read = new Set<string>();
  const watch = (env: Record<string, string>) =>
    readConfig(
      new Proxy(env, {
        get: (target, name) => {
          if (String(name).startsWith('VOUCH_')) read.add(String(name));
          return Reflect.get(target, name) as string | undefined;
        },
      }),
    );
  watch(HTTPS);
  watch({ VOUCH_ISSUER: 'http://localhost:3000' });
  expect([...read].sort()).toEqual([...SETTINGS].sort());
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/administration.md'), 'utf8');
  const table = docs.split('\n').filter((line) => line.startsWith('| `VOUCH_'));
  const documented = table.flatMap((line) => line.split('|')[1]?.match(/VOUCH_\w+/g) ?? []);
  expect(documented.sort()).toEqual([...SETTINGS].sort());
});

describe('a name that is not a setting is refused, and the nearest one is named', () => {
  const names: [string, string][] = [
    ['VOUCH_ISUER', 'VOUCH_ISSUER'],
    ['VOUCH_AWS_AUDIANCE', 'VOUCH_AWS_AUDIENCE'],
    ['VOUCH_MASTERKEY_FILE', 'VOUCH_MASTER_KEY_FILE'],
    ['VOUCH_ALLOWED_AAGUID', 'VOUCH_ALLOWED_AAGUIDS'],
    ['VOUCH_REQUIRE_ATTESTATION', 'VOUCH_REQUIRE_ATTESTATION_CERT'],
    ['VOUCH_PORT', 'VOUCH_'],
  ];
  for (const [name, near] of names) {
    test(name, async () => {
      expect(() => readConfig({ ...HTTPS, [name]: '8080' })).toThrow(
        new RegExp(`^${name} is not a setting of the server; the nearest one is ${near}`),
      );
    });
  }

  test('by every command', async () => {
    const template = ['aws-template', '--format', 'cli', '--account', '123456789012', '--domain', 'example.com'];
    for (const args of [['serve'], ['invite', 'alice@example.com'], template]) {
      const { code, stdout, stderr } = await vouchServer(args, { ...HTTPS, VOUCH_AWS_AUDIANCE: 'aws' });
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^vouch-server: VOUCH_AWS_AUDIANCE .*VOUCH_AWS_AUDIENCE/);
    }
  });

  test('but not the variables that `vouch`, Kubernetes and Docker set', () => {
    const others = {
      VOUCH_SESSION: 'yes',
      VOUCH_EMAIL: 'alice@example.com',
      VOUCH_EXPIRES_AT: '1',
      VOUCH_SERVER: 'https://vouch.example.com',
      VOUCH_PROMPT: 'vouch 1h',
      VOUCH_SERVICE_HOST: '10.0.0.1',
      VOUCH_SERVICE_PORT: '80',
      VOUCH_SERVICE_PORT_HTTP: '80',
      VOUCH_SERVER_SERVICE_HOST: '10.0.0.2',
      VOUCH_PORT: 'tcp://10.0.0.1:80',
      VOUCH_PORT_80_TCP: 'tcp://10.0.0.1:80',
      VOUCH_PORT_80_TCP_PROTO: 'tcp',
      VOUCHER: 'x',
    };
    expect(readConfig({ ...HTTPS, ...others })).toEqual(readConfig(HTTPS));
  });
});
