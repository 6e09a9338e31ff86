import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { run } from '../support/run.ts';

test('npm run sandbox keeps the machine’s environment out, passes the status on, and leaves nothing behind', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 's-'));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const nobody = 'http://127.0.0.1:9';
  const nowhere = join(temporary, 'none');
  const env = cleanEnvironment({
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: temporary,
    TMPDIR: temporary,
    npm_config_update_notifier: 'false',
    npm_config_cache: join(temporary, 'npm'),
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: nobody,
    HTTPS_PROXY: nobody,
    GIT_SSL_CAINFO: nowhere,
    AWS_PROFILE: 'somebody-else',
    XDG_RUNTIME_DIR: nowhere,
    NODE_EXTRA_CA_CERTS: nowhere,
  });
  const script =
    'vouch login && git ls-remote https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo && ' +
    'env | grep -E "^(GIT_|AWS_PROFILE|HTTPS?_PROXY|XDG_|NODE_)" | sed "s:=.*/:=:"; exit 7';
  const ended = await run('npm', ['run', '--silent', 'sandbox', '--', 'sh', '-c', script], {
    env,
    cwd: join(import.meta.dirname, '../..'),
  });
  expect(ended.stdout).toMatch(/^Signed in as alice@example\.com .*\nXDG_RUNTIME_DIR=run\n$/m);
  expect(ended.code).toBe(7);
  expect(readdirSync(temporary).filter((name) => name.startsWith('vouch-'))).toEqual([]);
});
