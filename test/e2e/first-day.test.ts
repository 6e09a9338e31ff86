import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gitSignature } from '../aws/git-signature.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { serversUnderTest } from './servers.ts';

let sandbox: Sandbox;
let url: string;
let drop: () => Promise<void>;

beforeAll(async () => {
  const servers = await serversUnderTest();
  drop = servers.drop;
  sandbox = await startSandbox(servers.options);
  url = sandbox.repositoryUrl;
});
afterAll(async () => {
  await sandbox?.close();
  await drop();
});

const assumed = () => sandbox.aws.log.filter(({ action }) => action === 'AssumeRoleWithWebIdentity');
const notSignedIn = 'vouch: You are not signed in. Run `vouch login`, then try again.';

/** These tests are one story, in this order. */
describe.sequential('a first day', () => {
  test('before the login, Git fails at once, says what to do, and asks for no password', async () => {
    const refused = await sandbox.run('git', ['ls-remote', url]);
    expect(refused.code).toBe(128);
    expect(refused.stderr).toContain(notSignedIn);
    expect(refused.stderr).not.toMatch(/Username|Password|could not read/);
    expect((await sandbox.run('vouch', ['status'])).code).toBe(3);
  });

  test('vouch login opens the browser, and prints the person, the key and the end of the session', async () => {
    const signedIn = await sandbox.succeed('vouch', ['login']);
    expect(signedIn.stdout).toMatch(
      /^Opening your browser to sign in at localhost:\d+\n {2}http:\/\/localhost:\d+\/s\/[0-9a-z]{5}-[0-9a-z]{5}\nTouch your key only if the page shows: [a-z]+ [a-z]+ [a-z]+\nSigned in as alice@example\.com with "Work key" until (\w+ \d+ \w+ )?\d\d:\d\d, 8 h from now\n$/,
    );
    const status = await sandbox.succeed('vouch', ['status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({
      session: { email: 'alice@example.com', key: { name: 'Work key' } },
      profiles: [{ name: 'vouch', role: sandbox.roleArn, credentialsUntil: null }],
      git: true,
    });
  });

  test('the address of the last page in the browser contains no code', async () => {
    const page = sandbox.browser?.page();
    await page?.waitForFunction(() => document.body.textContent?.includes('Go back to your terminal'));
    expect(page?.url()).toBe(`${sandbox.issuer}/signed-in`);
    // And the page still says whose session it is, although the browser was at the terminal's address in between.
    expect(await page?.$eval('dl', (facts) => facts.textContent)).toMatch(
      /^Asalice@example\.comUntil.*\d\d:\d\d, in 8 hoursOn\S/,
    );
  });

  test('100 Git processes at once right after the login share the calls to STS', async () => {
    expect(assumed()).toHaveLength(0);
    const runs = await Promise.all(Array.from({ length: 100 }, () => sandbox.run('git', ['ls-remote', url])));
    expect(runs.filter(({ code }) => code !== 0)).toEqual([]);
    // Normally one call. But STS shares this machine with the hundred processes: if its answer takes more than 5 seconds, the agent
    // tries again, at most 4 times while somebody waits. Without sharing there would be a hundred calls.
    expect(assumed().length).toBeLessThanOrEqual(4);
    expect(assumed()[0]).toMatchObject({
      outcome: 'OK',
      session: 'alice@example.com',
      sourceIdentity: 'alice@example.com',
    });
  });

  test('clone, push, and a second clone that has the commit', async () => {
    const work = join(sandbox.home, 'demo');
    await sandbox.succeed('git', ['clone', url]);
    await sandbox.succeed('git', ['commit', '--allow-empty', '-m', 'first'], { cwd: work });
    await sandbox.succeed('git', ['push'], { cwd: work });
    await sandbox.succeed('git', ['clone', url, 'second']);
    const log = await sandbox.succeed('git', ['log', '--format=%s'], { cwd: join(sandbox.home, 'second') });
    expect(log.stdout).toBe('first\n');
  });

  test('no argument of any program holds a secret while a push is under way', async () => {
    const credentials = await credentialProcess();
    const seen: string[] = [];
    sandbox.aws.intercept = ({ action }) => {
      if (action === 'GitPush') seen.push(...argumentsOfAllPrograms());
      return false;
    };
    const work = join(sandbox.home, 'demo');
    await sandbox.succeed('git', ['commit', '--allow-empty', '-m', 'second'], { cwd: work });
    await sandbox.succeed('git', ['push'], { cwd: work });
    sandbox.aws.intercept = undefined;
    // We looked at the right moment: Git's transport was running.
    expect(seen.some((line) => line.includes('remote-https'))).toBe(true);
    const secrets = [credentials.SecretAccessKey, credentials.SessionToken, credentials.AccessKeyId];
    expect(seen.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
    expect(seen.filter((line) => /\d{8}T\d{6}Z[0-9a-f]{64}|eyJ[\w-]{20,}\./.test(line))).toEqual([]);
  });

  test('the password is the signature that the specification requires', async () => {
    const credentials = await credentialProcess();
    const answer = await sandbox.succeed('git-credential-vouch', ['get'], {
      input: 'protocol=https\nhost=git-codecommit.us-east-1.amazonaws.com\npath=v1/repos/demo\n\n',
    });
    const lines = Object.fromEntries(
      answer.stdout
        .trim()
        .split('\n')
        .map((line) => splitOnce(line, '=')),
    );
    expect(lines.username).toBe(`${credentials.AccessKeyId}%${credentials.SessionToken}`);
    const date = String(lines.password).slice(0, 15);
    expect(lines.password).toBe(
      `${date}Z${gitSignature({ secretAccessKey: credentials.SecretAccessKey, region: 'us-east-1', host: 'git-codecommit.us-east-1.amazonaws.com', path: '/v1/repos/demo', date })}`,
    );
  });

  test('nothing of the session is on the disk', async () => {
    const credentials = await credentialProcess();
    const secrets = [credentials.SecretAccessKey, credentials.SessionToken];
    const found: string[] = [];
    let files = 0;
    for (const file of allFiles(sandbox.folder)) {
      const content = readFileSync(file, 'latin1');
      files += 1;
      // Any signed JWT: access token, ID tokens, DPoP proofs.
      const signedJwt = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{40,}/;
      if (secrets.some((secret) => content.includes(secret)) || signedJwt.test(content)) {
        found.push(file);
      }
    }
    expect(files).toBeGreaterThan(20);
    expect(found).toEqual([]);
  });

  test('after vouch logout Git fails again, and the server has revoked the session', async () => {
    const out = await sandbox.succeed('vouch', ['logout']);
    expect(out).toMatchObject({ stdout: expect.stringContaining('Signed out alice@example.com'), stderr: '' });
    const refused = await sandbox.run('git', ['ls-remote', url]);
    expect(refused).toMatchObject({ code: 128, stderr: expect.stringContaining(notSignedIn) });
    expect((await sandbox.run('vouch', ['logout'])).stdout).toBe('You were not signed in\n');
  });
});

interface ProcessCredentials {
  AccessKeyId: string;
  SecretAccessKey: string;
  SessionToken: string;
}

async function credentialProcess(): Promise<ProcessCredentials> {
  const { stdout } = await sandbox.succeed('vouch', ['credential', 'aws', '--role', sandbox.roleArn]);
  return JSON.parse(stdout) as ProcessCredentials;
}

function splitOnce(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return [line.slice(0, at), line.slice(at + 1)];
}

/** The output of `ps`, on Linux. */
function argumentsOfAllPrograms(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    });
}

function allFiles(folder: string): string[] {
  // It does not follow links, such as those to the installed packages.
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return allFiles(path);
    return entry.isFile() ? [path] : [];
  });
}
