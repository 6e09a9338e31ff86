import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitOutcome, gitSaid } from '../../../cli/doctor/git-outcome.ts';
import { runGit } from '../../../cli/doctor/git-process.ts';
import { gitNetworkSettings, networkVariables, withoutPassword } from '../../../cli/doctor/network-settings.ts';
import { type Machine, machine } from '../support.ts';

/** A `git` that does what a script says. */
function fakeGit(the: Machine, script: string): void {
  const file = join(the.folder, 'bin/git');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const override = (proxy: string) => ({
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'http.proxy',
  GIT_CONFIG_VALUE_0: proxy,
});

const where = (the: Machine) => ({ env: the.env, cwd: the.folder, signal: new AbortController().signal });

describe('runGit', () => {
  test('runs unattended: no prompt, no window, no terminal, no login, and no trace that would show a secret', async () => {
    const the = machine();
    fakeGit(the, 'env; [ -e /dev/tty ] && (: </dev/tty) 2>/dev/null && echo terminal; true');
    const env = { ...the.env, GIT_TRACE_CURL: '1', GIT_ASKPASS: '/bin/ask', SSH_ASKPASS: '/bin/ask', GIT_CONFIG: '/x' };
    const { stdout } = await runGit([], { ...where(the), env });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining(['GIT_TERMINAL_PROMPT=0', 'GIT_ASKPASS=', 'CI=true', 'LC_ALL=C']),
    );
    expect(stdout).not.toMatch(/GIT_TRACE|SSH_ASKPASS|GIT_CONFIG=|^terminal$/m);
  });

  test('ends in time, and with all that it had started', async () => {
    const the = machine();
    // Git's child keeps standard output open. Unless that child is ended too, this test does not end.
    fakeGit(the, 'sleep 1000 & echo begun; wait');
    const answer = await runGit([], { ...where(the), timeout: 500 });
    expect(answer).toMatchObject({ late: true, stdout: 'begun\n' });
    expect(gitOutcome(answer)).toBe('late');
  });

  test('ends when it is interrupted', async () => {
    const the = machine();
    fakeGit(the, 'sleep 1000');
    const controller = new AbortController();
    const running = runGit([], { ...where(the), signal: controller.signal });
    controller.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
    await expect(runGit([], { ...where(the), signal: controller.signal })).rejects.toThrow('interrupted');
  });

  test('keeps only a limited part of Git’s output', async () => {
    const the = machine();
    fakeGit(the, 'head -c 3000000 /dev/zero | tr "\\0" x');
    expect((await runGit([], where(the))).stdout.length).toBeLessThan(300_000);
  });
});

describe('gitOutcome', () => {
  const at = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/demo/';
  test.each([
    [`fatal: unable to access '${at}': The requested URL returned error: 403`, 'forbidden'],
    [`remote: x\nfatal: repository '${at}' not found`, 'not-found'],
    [`fatal: unable to access '${at}': The requested URL returned error: 429`, 'busy'],
    [`fatal: unable to access '${at}': The requested URL returned error: 503`, 'busy'],
    [`fatal: Authentication failed for '${at}'`, 'refused'],
    ["fatal: could not read Username for 'https://…': terminal prompts disabled", 'no-credentials'],
    ["vouch: You are not signed in.\nfatal: credential helper 'vouch' told us to quit", 'quit'],
    [`fatal: unable to access '${at}': SSL certificate problem: unable to get local issuer certificate`, 'tls'],
    [`fatal: unable to access '${at}': server certificate verification failed. CAfile: none CRLfile: none`, 'tls'],
    [`fatal: unable to access '${at}': Could not resolve proxy: proxy.example.com`, 'proxy'],
    [`fatal: unable to access '${at}': Received HTTP code 407 from proxy after CONNECT`, 'proxy'],
    [`fatal: unable to access '${at}': CONNECT tunnel failed, response 403`, 'proxy'],
    [`fatal: unable to access '${at}': Could not resolve host: git-codecommit.us-east-1.amazonaws.com`, 'unreachable'],
    [
      `fatal: unable to access '${at}': Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect`,
      'unreachable',
    ],
    ["fatal: transport 'codecommit' not allowed", 'not-allowed'],
    ["git: 'remote-codecommit' is not a git command. See 'git --help'.", 'no-remote-helper'],
    ['fatal: something new', 'other'],
  ])('%s', (stderr, outcome) => {
    expect(gitOutcome({ code: 128, stdout: '', stderr, late: false })).toBe(outcome);
  });

  test('a repository’s name does not decide it', () => {
    const named = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/ssl-proxy-certificate/';
    const stderr = `fatal: unable to access '${named}': The requested URL returned error: 403`;
    expect(gitOutcome({ code: 128, stdout: '', stderr, late: false })).toBe('forbidden');
  });
});

describe('what is shown of others', () => {
  test.each(['http://bob:s3 cret@proxy:3128', 's3cret@proxy:3128', 'bob:s3@cret@proxy:3128', 'http://s3cret@proxy'])(
    'of the setting %s it is the host',
    async (proxy) => {
      const the = machine();
      const settings = await gitNetworkSettings('https://example.com', { ...the.env, ...override(proxy) }, the.folder);
      for (const [, shown] of [...networkVariables({ HTTPS_PROXY: proxy }), ...settings]) {
        expect(shown).toMatch(/^(http:\/\/)?…@proxy(:3128)?$/);
      }
      expect(settings).toHaveLength(1);
    },
  );

  test('never has a password in it', () => {
    expect(withoutPassword('http://bob:hunter2@proxy.example.com:3128')).toBe('http://…@proxy.example.com:3128');
    expect(withoutPassword('bob:hunter2@proxy.example.com:3128')).toBe('…@proxy.example.com:3128');
    expect(withoutPassword('http://bob:hunt/er2@proxy')).not.toContain('hunt');
    expect(withoutPassword('http://bob:hu@nter2@proxy')).not.toContain('nter2');
    expect(withoutPassword('/etc/ssl/ca.pem')).toBe('/etc/ssl/ca.pem');
    const stderr = "fatal: unable to access 'https://AKIA:secret@git-codecommit.us-east-1.amazonaws.com/': x\n";
    expect(gitSaid({ code: 128, stdout: '', stderr, late: false })).not.toContain('secret');
  });
});
