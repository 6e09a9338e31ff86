import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { gitVersion, takesEphemeral } from '../../cli/git/git.ts';
import type { PolicyDocument } from '../aws/policy.ts';
import { TestCa } from '../aws/test-ca.ts';
import { addChainedRole, addProfile, forgetDefault } from '../sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { freePort } from '../support/free-port.ts';
import { run } from '../support/run.ts';

/** Each test causes one real trouble, lets the doctor find it, does what the doctor says, and checks that Git works. */
let sandbox: Sandbox;
let url: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  url = sandbox.repositoryUrl;
  await sandbox.succeed('vouch', ['login']);
});
afterAll(() => sandbox?.close());

/** The files that are restored after each test. */
const kept = ['.gitconfig', '.aws/config'];
let asItWas: string[];
beforeEach(() => {
  asItWas = kept.map((file) => readFileSync(join(sandbox.home, file), 'utf8'));
});
afterEach(async () => {
  for (const [index, file] of kept.entries()) writeFileSync(join(sandbox.home, file), asItWas[index] ?? '');
  if ((await vouch(['status'])).code !== 0) await sandbox.succeed('vouch', ['login']);
});

interface Where {
  env?: Record<string, string>;
  cwd?: string;
}

interface Report {
  code: number;
  ok: boolean;
  fixed: string[];
  /** The ids of the findings that failed a check. */
  troubles: string[];
  findings: { id: string; severity: string; what: string; why: string[]; fix: string[] }[];
  checks: { id: string; status: string; waitsFor?: string[]; data?: Record<string, unknown> }[];
}

function vouch(args: string[], { env = {}, cwd = sandbox.home }: Where = {}) {
  return run(join(sandbox.folder, 'bin/vouch'), args, { env: { ...sandbox.env, ...env }, cwd });
}

async function doctor(args: string[], where: Where = {}): Promise<Report> {
  const { code, stdout, stderr } = await vouch(['doctor', '--json', ...args], where);
  if (stdout === '') throw new Error(stderr);
  const report = JSON.parse(stdout);
  const findings = report.checks.flatMap((check: { findings: Report['findings'] }) => check.findings);
  const troubles = findings.filter((one: { severity: string }) => one.severity === 'trouble');
  return { code, ...report, findings, troubles: troubles.map(({ id }: { id: string }) => id) };
}

const status = (report: Report, id: string) => report.checks.find((check) => check.id === id)?.status;
const finding = (report: Report, id: string) => report.findings.find((one) => one.id === id);
const why = (report: Report, id: string) => finding(report, id)?.why.join('\n') ?? '';
const fix = (report: Report, id: string) => finding(report, id)?.fix.join('\n') ?? '';

function git(args: string[], { env = {}, cwd = sandbox.home }: Where = {}) {
  return run('git', args, { env: { ...sandbox.env, GIT_TERMINAL_PROMPT: '0', ...env }, cwd });
}

async function gitWorks(remote = url, where: Where = {}): Promise<void> {
  expect(await git(['ls-remote', remote], where)).toMatchObject({ code: 0, stderr: '' });
}

/** A repository on this machine with this `origin`. */
async function clone(origin = url): Promise<string> {
  const folder = await mkdtemp(join(sandbox.folder, 'clone-'));
  await sandbox.succeed('git', ['init', '--quiet', folder]);
  await sandbox.succeed('git', ['remote', 'add', 'origin', origin], { cwd: folder });
  return folder;
}

/** A folder for PATH with only these programs of the sandbox. */
async function folderWith(...programs: string[]): Promise<string> {
  const folder = await mkdtemp(join(sandbox.folder, 'bin-'));
  for (const program of programs) symlinkSync(join(sandbox.folder, 'bin', program), join(folder, program));
  return folder;
}

/** A folder for PATH with a script in place of a program. It prints a version, and otherwise runs the given line. */
async function folderWithScript(name: string, version: string, otherwise = 'exit 1'): Promise<string> {
  const folder = await mkdtemp(join(sandbox.folder, 'bin-'));
  const script = `#!/bin/sh\n[ "$1" = --version ] && { echo '${version}'; exit; }\n${otherwise}\n`;
  await writeFile(join(folder, name), script, { mode: 0o755 });
  return folder;
}

const which = async (program: string) => (await sandbox.succeed('which', [program])).stdout.trim();
const systemPath = ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);
const first = (folder: string) => ({ PATH: `${folder}${delimiter}${sandbox.env.PATH}` });

/** Changes the role's policies until the test ends. */
function changeRole(change: (policies: { trust: PolicyDocument; permissions: PolicyDocument[] }) => void): void {
  const { account } = sandbox.first;
  const role = account.role('VouchDeveloper');
  if (role === undefined) throw new Error('no role');
  const was = { trustPolicy: role.trustPolicy, permissionPolicies: role.permissionPolicies };
  const policies = { trust: structuredClone(role.trustPolicy), permissions: structuredClone(role.permissionPolicies) };
  change(policies);
  account.setPolicies('VouchDeveloper', { trustPolicy: policies.trust, permissionPolicies: policies.permissions });
  onTestFinished(() => account.setPolicies('VouchDeveloper', was));
}

const allow = (...actions: string[]): PolicyDocument[] => [
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] },
];

describe.sequential('vouch doctor', () => {
  test('finds all well, writes nothing, and prints nothing secret', async () => {
    const path = join(sandbox.folder, 'aws/repos/123456789012/us-east-1/demo.git');
    const served = sandbox.aws.log.length;
    const [json, text] = [await vouch(['doctor', '--json', url]), await vouch(['doctor', url])];
    expect(json).toMatchObject({ code: 0, stderr: '' });
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain('All is well: Git can pull from it and push to it.');
    expect(JSON.parse(json.stdout).checks.map(({ id }: { id: string }) => id)).toEqual([
      ...[
        'node',
        'git',
        'vouch',
        'helper',
        'remote-helper',
        'agent',
        'session',
        'server',
        'profile',
        'id-token',
        'sts',
      ],
      ...['git-config', 'pull', 'push'],
    ]);
    expect(text.stdout).toContain('sub: alice@example.com');
    expect(text.stdout).toContain(`roles: ${sandbox.roleArn}`);
    expect(text.stdout).toContain('assumed-role/VouchDeveloper/alice@example.com');
    // No request to CodeCommit could write anything: the repository has no object.
    const asked = sandbox.aws.log.slice(served).filter(({ service }) => service === 'codecommit');
    expect(asked.map(({ action }) => action)).toContain('GitPush');
    expect(asked.filter(({ method, path }) => method === 'POST' && path?.endsWith('/git-receive-pack'))).toEqual([]);
    expect((await sandbox.succeed('git', ['-C', path, 'count-objects'])).stdout).toMatch(/^0 objects/);
    const credentials = JSON.parse((await vouch(['credential', 'aws', '--role', sandbox.roleArn])).stdout);
    for (const output of [json.stdout, text.stdout]) {
      for (const secret of [credentials.SecretAccessKey, credentials.SessionToken, credentials.AccessKeyId, 'eyJ']) {
        expect(output).not.toContain(secret);
      }
      expect(output).not.toMatch(/ASIA|AWS4-HMAC|\d{8}T\d{6}Z[0-9a-f]{64}/);
    }
  });

  test('takes a remote’s name, the remote of the repository here, or none', async () => {
    const cwd = await clone(`${url}/`);
    await sandbox.succeed('git', ['remote', 'add', 'other', 'https://example.com/x'], { cwd });
    expect(status(await doctor([], { cwd }), 'push')).toBe('ok');
    expect(status(await doctor(['origin'], { cwd }), 'pull')).toBe('ok');
    const other = await vouch(['doctor', 'other'], { cwd });
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('not a repository on CodeCommit') });
    const none = await doctor([]);
    expect(none).toMatchObject({ code: 0, ok: true, url: null });
    expect(status(none, 'sts')).toBe('ok');
    expect(status(none, 'pull')).toBeUndefined();
  });

  test('authentication failed: nobody is signed in, with or without an agent', async () => {
    await vouch(['logout']);
    expect((await git(['ls-remote', url])).code).toBe(128);
    const nobody = await doctor([url]);
    expect(nobody).toMatchObject({ code: 1, troubles: ['agent.not-running'] });
    expect(nobody.checks.filter((check) => check.status === 'not-tried')).toEqual([
      expect.objectContaining({ id: 'session', waitsFor: ['agent'] }),
      expect.objectContaining({ id: 'id-token', waitsFor: ['session'] }),
      expect.objectContaining({ id: 'sts', waitsFor: ['id-token'] }),
      expect.objectContaining({ id: 'pull', waitsFor: ['sts'] }),
      expect.objectContaining({ id: 'push', waitsFor: ['pull'] }),
    ]);
    // --fix starts the agent, which is safe; it does not sign in.
    const started = await doctor(['--fix', url]);
    expect(started).toMatchObject({ code: 1, troubles: ['session.none'], fixed: [expect.stringContaining('agent')] });
    expect(fix(started, 'session.none')).toContain('`vouch login`');
    await sandbox.succeed('vouch', ['login']);
    await gitWorks();
    expect((await doctor([url])).troubles).toEqual([]);
  });

  test('not authorized: distinguishes a role without GitPush, without GitPull, and without both', async () => {
    const cwd = await clone();
    await sandbox.succeed('git', ['commit', '--quiet', '--allow-empty', '-m', 'one'], { cwd });
    changeRole((role) => {
      role.permissions = allow('codecommit:GitPull');
    });
    expect((await git(['push', 'origin', 'main'], { cwd })).stderr).toContain('403');
    const noPush = await doctor([url]);
    expect(noPush).toMatchObject({ code: 1, troubles: ['push.no-git-push'] });
    expect(status(noPush, 'pull')).toBe('ok');
    expect(why(noPush, 'push.no-git-push')).toContain(
      'codecommit:GitPush on arn:aws:codecommit:us-east-1:123456789012:demo',
    );

    changeRole((role) => {
      role.permissions = allow('codecommit:GitPush');
    });
    const noPull = await doctor([url]);
    expect(noPull.troubles).toEqual(['pull.no-git-pull']);
    expect(status(noPull, 'push')).toBe('ok');
    expect(why(noPull, 'pull.no-git-pull')).toContain(sandbox.roleArn);

    changeRole((role) => {
      role.permissions = allow('codecommit:ListBranches');
    });
    const neither = await doctor([url]);
    expect(neither.troubles).toEqual(['pull.forbidden']);
    expect(status(neither, 'push')).toBe('not-tried');

    // As the doctor says: these two actions, for that repository.
    changeRole((role) => {
      role.permissions = allow('codecommit:GitPull', 'codecommit:GitPush');
    });
    expect((await git(['push', 'origin', 'main'], { cwd })).code).toBe(0);
    expect((await doctor([url])).troubles).toEqual([]);
  });

  test('distinguishes a repository that does not exist from one that is not allowed', async () => {
    changeRole((role) => {
      role.permissions = allow('codecommit:GitPull', 'codecommit:GitPush');
    });
    const report = await doctor([url.replace('demo', 'nothing')]);
    expect(report.troubles).toEqual(['pull.not-found']);
    expect(finding(report, 'pull.not-found')?.what).toBe(
      'There is no repository nothing in us-east-1 of account 123456789012.',
    );
    expect(fix(report, 'pull.not-found')).toContain('--try-regions');
    // The suggested command names the same repository with the same scheme and profile.
    const scheme = 'codecommit::us-east-1://vouch@nothing';
    expect(fix(await doctor([scheme]), 'pull.not-found')).toContain(`\`vouch doctor --try-regions ${scheme}\``);
  });

  test('another helper first: an old password in a store is used instead of Vouch', async () => {
    const host = 'https://git-codecommit.us-east-1.amazonaws.com';
    await vouch(['setup', 'codecommit', '--remove']);
    await sandbox.succeed('git', ['config', '--global', 'credential.helper', 'store']);
    await sandbox.succeed('git', ['config', '--global', `credential.${host}.helper`, 'vouch']);
    await sandbox.succeed('git', ['config', '--global', `credential.${host}.useHttpPath`, 'true']);
    const store = join(sandbox.home, '.git-credentials');
    writeFileSync(store, `${url.replace('https://', 'https://old:dead@')}\n`);
    expect((await git(['ls-remote', url])).code).toBe(128);

    const report = await doctor([url]);
    expect(report.troubles).toEqual(['git-config.another-first']);
    expect(finding(report, 'git-config.another-first')?.what).toContain(
      `"store" (credential.helper in ${sandbox.home}`,
    );
    expect(fix(report, 'git-config.another-first')).toContain('`vouch setup codecommit`');
    await sandbox.succeed('vouch', ['setup', 'codecommit']);
    await gitWorks();
    expect((await doctor([url])).troubles).toEqual([]);
    await rm(store);
  });

  test('another helper later: a repository’s own configuration that would store the credential from Vouch', async () => {
    const cwd = await clone();
    await sandbox.succeed('git', ['config', '--local', 'credential.helper', 'store'], { cwd });
    const stores = !takesEphemeral(await gitVersion(sandbox.env));
    // Older versions of Git would store it, so Vouch's helper gives nothing.
    expect((await git(['ls-remote', 'origin'], { cwd })).code).toBe(stores ? 128 : 0);
    const report = await doctor([], { cwd });
    expect(report.troubles).toEqual(stores ? ['git-config.another-stores'] : []);
    if (stores) expect(fix(report, 'git-config.another-stores')).toContain('`vouch setup codecommit --local`');
    await sandbox.succeed('vouch', ['setup', 'codecommit', '--local'], { cwd });
    expect((await doctor([], { cwd })).troubles).toEqual([]);
    await gitWorks('origin', { cwd });
    expect(existsSync(join(sandbox.home, '.git-credentials'))).toBe(false);
  });

  test('helper not configured: --fix shows and makes the change, and changes nothing else', async () => {
    await vouch(['setup', 'codecommit', '--remove']);
    const file = join(sandbox.home, '.gitconfig');
    expect((await git(['ls-remote', url])).code).toBe(128);
    const was = readFileSync(file, 'utf8');
    const report = await doctor([url]);
    expect(report.troubles).toEqual(['git-config.no-helper']);
    expect(readFileSync(file, 'utf8')).toBe(was);
    const fixed = await vouch(['doctor', '--fix', url]);
    expect(fixed).toMatchObject({ code: 0, stderr: '' });
    expect(fixed.stdout).toContain(`--fix changes this:\n  ${file}:\n`);
    expect(fixed.stdout).toContain('  +     helper = vouch\n');
    expect(readFileSync(file, 'utf8').split('\n')).toEqual(expect.arrayContaining(was.split('\n')));
    await gitWorks();
    const again = await doctor(['--fix', url]);
    expect(again).toMatchObject({ code: 0, fixed: [] });
  });

  test('a repository’s own configuration keeps Git from passing the path on', async () => {
    const cwd = await clone();
    await sandbox.succeed('git', ['config', '--local', 'credential.useHttpPath', 'false'], { cwd });
    const report = await doctor([], { cwd });
    // A general section does not override a specific one. In a later file an equally specific one does.
    expect(report.troubles).toEqual(
      (await git(['ls-remote', 'origin'], { cwd })).code === 0 ? [] : ['git-config.no-path'],
    );
    expect(await doctor(['--fix'], { cwd })).toMatchObject({ code: 0 });
    await gitWorks('origin', { cwd });
  });

  test('helper off the PATH: --absolute is needed, and then an editor’s PATH is enough', async () => {
    const PATH = `${await folderWith('vouch', 'node')}${delimiter}${systemPath}`;
    expect((await git(['ls-remote', url], { env: { PATH } })).stderr).toContain('credential-vouch');
    const report = await doctor([url], { env: { PATH } });
    expect(report.troubles).toEqual(['helper.not-on-path']);
    expect(fix(report, 'helper.not-on-path')).toContain('--absolute');
    // This shell finds it, but an editor does not have this shell's PATH.
    expect(finding(await doctor([url]), 'helper.this-shell-only')).toMatchObject({ severity: 'warning' });

    expect(await doctor(['--fix', url], { env: { PATH } })).toMatchObject({ code: 0 });
    await gitWorks(url, { env: { PATH: systemPath } });
    expect(finding(await doctor([url]), 'helper.this-shell-only')).toBeUndefined();

    // As after an update of Node, which removes the file.
    const config = join(sandbox.home, '.gitconfig');
    const text = readFileSync(config, 'utf8');
    const gone = join(sandbox.folder, 'gone/git-credential-vouch');
    writeFileSync(config, text.replaceAll(/\S+\/git-credential-vouch/g, gone));
    expect((await doctor([url])).troubles).toEqual(['helper.missing']);
    expect(await doctor(['--fix', url])).toMatchObject({ code: 0 });
    await sandbox.succeed('vouch', ['setup', 'codecommit']);
    await gitWorks();
  });

  test('programs that are missing, or too old', async () => {
    const nothing = await folderWith();
    const args = [join(sandbox.folder, 'bin/vouch'), 'doctor', '--json', url];
    const bare = await run(process.execPath, args, { env: { ...sandbox.env, PATH: nothing }, cwd: sandbox.home });
    const ids = JSON.parse(bare.stdout).checks.flatMap((check: { findings: { id: string }[] }) =>
      check.findings.map(({ id }) => id),
    );
    expect(bare.code).toBe(1);
    expect(ids).toEqual(['node.not-on-path', 'git.no-git', 'vouch.not-on-path']);
    const oldGit = await doctor([url], {
      env: first(await folderWithScript('git', 'git version 2.25.1', `exec ${await which('git')} "$@"`)),
    });
    expect(oldGit.troubles).toEqual(['git.old-git']);
    expect(status(oldGit, 'helper')).toBe('not-tried');
    // The checks of agent, server and AWS do not depend on Git.
    expect(status(oldGit, 'sts')).toBe('ok');
    const PATH = [
      await folderWith('vouch', 'git-credential-vouch'),
      await folderWithScript('node', 'v18.20.0'),
      systemPath,
    ];
    const vouchFile = join(sandbox.folder, 'package/dist/cli/vouch/main.cjs');
    const env = { ...sandbox.env, PATH: PATH.join(delimiter) };
    const oldNode = await run(process.execPath, [vouchFile, 'doctor', '--json', url], { env, cwd: sandbox.home });
    expect(oldNode.stdout).toContain('"node.old-on-path"');
  });

  test('another git-remote-codecommit first on the PATH: the doctor names it as the only trouble of codecommit://', async () => {
    const folder = await folderWithScript('git-remote-codecommit', 'not Vouch');
    const report = await doctor(['codecommit://demo'], { env: first(folder) });
    expect(report.troubles).toEqual(['remote-helper.another-first']);
    expect(finding(report, 'remote-helper.another-first')?.what).toContain(join(folder, 'git-remote-codecommit'));
    expect(status(report, 'pull')).toBe('not-tried');
    // With https:// it is only a warning.
    const https = await doctor([url], { env: first(folder) });
    expect(https.troubles).toEqual([]);
    expect(finding(https, 'remote-helper.another-first')).toMatchObject({ severity: 'warning' });
    // As the doctor says: our folder first.
    expect(await doctor(['codecommit://demo'])).toMatchObject({ code: 0 });
    await gitWorks('codecommit://demo');
    const PATH = `${await folderWith('vouch', 'node', 'git-credential-vouch')}${delimiter}${systemPath}`;
    expect((await doctor(['codecommit://demo'], { env: { PATH } })).troubles).toEqual(['remote-helper.not-on-path']);
  });

  test('submodules over codecommit:// that Git does not allow', async () => {
    const cwd = await clone();
    await sandbox.succeed('git', ['config', '--global', '--unset-all', 'protocol.codecommit.allow']);
    await writeFile(join(cwd, '.gitmodules'), '[submodule "part"]\n\tpath = part\n\turl = codecommit://demo\n');
    const head = (await git(['ls-remote', url, 'refs/heads/main'])).stdout.slice(0, 40);
    await sandbox.succeed('git', ['update-index', '--add', '--cacheinfo', `160000,${head},part`], { cwd });
    await sandbox.succeed('git', ['add', '.gitmodules'], { cwd });
    await sandbox.succeed('git', ['commit', '--quiet', '-m', 'a part'], { cwd });
    const update = ['submodule', 'update', '--init'];
    expect((await git(update, { cwd })).stderr).toContain("transport 'codecommit' not allowed");
    const report = await doctor([], { cwd });
    expect(report.troubles).toEqual(['submodules.not-allowed']);
    expect(await doctor(['--fix'], { cwd })).toMatchObject({
      code: 0,
      fixed: ['git config --global protocol.codecommit.allow always'],
    });
    expect((await git(update, { cwd })).code).toBe(0);
  });

  test('a trust policy that refuses: each condition is shown beside the token’s value', async () => {
    changeRole(({ trust }) => {
      const text = JSON.stringify(trust.Statement).replace('*@example.com', '*@elsewhere.example');
      trust.Statement = JSON.parse(text);
    });
    const report = await doctor([url]);
    expect(report.troubles).toEqual(['sts.trust']);
    const provider = new URL(sandbox.issuer).host;
    expect(why(report, 'sts.trust').split('\n')).toEqual(
      expect.arrayContaining([
        `Principal.Federated: arn:aws:iam::123456789012:oidc-provider/${provider}`,
        `${provider}:aud = ${sandbox.issuer}`,
        `${provider}:sub = alice@example.com`,
        expect.stringContaining('sts:RoleSessionName = alice@example.com'),
        expect.stringContaining('sts:RoleAuthorizedByIdp = true'),
      ]),
    );
    expect(status(report, 'id-token')).toBe('ok');
    expect(status(report, 'pull')).toBe('not-tried');
  });

  test('a trust policy that lacks an action: the finding names it', async () => {
    for (const action of ['sts:TagSession', 'sts:SetSourceIdentity']) {
      changeRole(({ trust }) => {
        trust.Statement = [trust.Statement].flat().map((statement) => ({
          ...statement,
          Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'].filter(
            (one) => one !== action,
          ),
        }));
      });
      const report = await doctor([url]);
      expect(report.troubles).toEqual(['sts.trust-action']);
      expect(finding(report, 'sts.trust-action')?.what).toContain(action);
    }
  });

  test('an account that does not know the provider, or the audience', async () => {
    const { account } = sandbox.first;
    onTestFinished(() => {
      account.addProvider({ url: sandbox.issuer, clientIds: [sandbox.issuer] });
    });
    account.addProvider({ url: sandbox.issuer, clientIds: ['https://other.example'] });
    const audience = await doctor([url]);
    expect(audience.troubles).toEqual(['sts.audience']);
    expect(why(audience, 'sts.audience')).toContain(`The token's audience is ${sandbox.issuer}`);
    account.removeProvider(sandbox.issuer);
    const provider = await doctor([url]);
    expect(provider.troubles).toEqual(['sts.provider-unknown']);
    expect(why(provider, 'sts.provider-unknown')).toContain('arn:aws:iam::123456789012:oidc-provider/localhost');
  });

  test('clocks that do not agree', async () => {
    const { aws } = sandbox;
    onTestFinished(() => {
      aws.now = () => new Date();
    });
    for (const minutes of [-60, 60]) {
      aws.now = () => new Date(Date.now() + minutes * 60_000);
      expect((await doctor([url])).troubles).toEqual(['sts.clock-skew']);
    }
    // A small difference gives only a warning: AWS takes a token until five minutes after its end.
    for (const [minutes, where] of [
      [-3, 'ahead of'],
      [3, 'behind'],
    ] as const) {
      aws.now = () => new Date(Date.now() + minutes * 60_000);
      const report = await doctor([url]);
      expect(report).toMatchObject({ code: 0, troubles: [] });
      expect(finding(report, 'sts.clock-skew')).toMatchObject({
        severity: 'warning',
        what: `The clock of this machine is 3 minutes ${where} AWS's.`,
      });
    }
  });

  test('the server cannot be reached: checks that need it are not tried, all others are', async () => {
    await sandbox.server.stop();
    onTestFinished(() => sandbox.server.start());
    const report = await doctor([url]);
    expect(report.troubles).toEqual(['server.unreachable']);
    expect(why(report, 'server.unreachable')).toContain('AWS STS can be reached.\nCodeCommit, by Git can be reached.');
    expect(status(report, 'git-config')).toBe('ok');
    expect(status(report, 'sts')).toBe('not-tried');
  });

  test('Git’s own CA and proxy: the finding names the setting, and says that server and STS can be reached', async () => {
    const other = join(sandbox.folder, 'other-ca.pem');
    await writeFile(other, (await TestCa.create()).pem);
    const tls = await doctor([url], { env: { GIT_SSL_CAINFO: other } });
    expect(tls.troubles).toEqual(['pull.tls']);
    expect(why(tls, 'pull.tls')).toContain('Vouch server can be reached.\nAWS STS can be reached.');
    expect(why(tls, 'pull.tls')).toContain(`GIT_SSL_CAINFO=${other}`);
    expect(fix(tls, 'pull.tls')).toContain('unset GIT_SSL_CAINFO');

    const cwd = await clone();
    const proxy = `http://alice:hunter2@127.0.0.1:${await freePort()}`;
    const key = `http.${url}.proxy`;
    await sandbox.succeed('git', ['config', '--local', key, proxy], { cwd });
    const closed = await doctor([], { cwd });
    expect(closed.troubles).toEqual(['pull.proxy']);
    expect(why(closed, 'pull.proxy')).toContain('http.proxy=http://…@127.0.0.1');
    expect(JSON.stringify(closed)).not.toContain('hunter2');
    await sandbox.succeed('git', ['config', '--local', '--unset', key], { cwd });
    await gitWorks('origin', { cwd });
  });

  test('AWS STS: its CA, its proxy, and an agent started in another environment', async () => {
    const ca = await TestCa.create();
    const tls = createHttpsServer({
      SNICallback: (host, done) => void ca.contextFor(host).then((it) => done(null, it), done),
    });
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void tls.close());
    await vouch(['logout']);
    const unknownCa = { AWS_ENDPOINT_URL_STS: `https://localhost:${(tls.address() as AddressInfo).port}` };
    expect(await vouch(['login'], { env: unknownCa })).toMatchObject({ code: 0 });
    const report = await doctor([url], { env: unknownCa });
    expect(report.troubles).toEqual(['sts.tls']);
    expect(why(report, 'sts.tls')).toContain('Vouch server can be reached.\nCodeCommit, by Git can be reached.');
    expect(fix(report, 'sts.tls')).toContain('NODE_EXTRA_CA_CERTS');
    // This shell would reach STS, but the agent keeps the environment that it was started with.
    const elsewhere = await doctor([url]);
    expect(elsewhere.troubles).toEqual(['sts.agent-environment']);
    await vouch(['logout']);

    const proxied = {
      AWS_ENDPOINT_URL_STS: 'https://sts.example.com',
      HTTPS_PROXY: `http://bob:hunter2@127.0.0.1:${await freePort()}`,
    };
    expect(await vouch(['login'], { env: proxied })).toMatchObject({ code: 0 });
    const proxy = await doctor([url], { env: proxied });
    expect(proxy.troubles).toEqual(['sts.proxy']);
    expect(why(proxy, 'sts.proxy')).toContain('HTTPS_PROXY=http://…@127.0.0.1');
    expect(JSON.stringify(proxy)).not.toContain('hunter2');
    await vouch(['logout']);
    await sandbox.succeed('vouch', ['login']);
    await gitWorks();
  });

  describe('other credentials that Git sends instead of those from Vouch', () => {
    const host = 'git-codecommit.us-east-1.amazonaws.com';
    const netrc = () => join(sandbox.home, '.netrc');
    afterEach(() => rm(netrc(), { force: true }));

    /** CodeCommit refuses Git, and the doctor names this cause and no other; it prints nothing of the secret. */
    async function blamed(remote: string, cause: string, where: Where = {}): Promise<Report> {
      expect((await git(['ls-remote', remote], where)).stderr).toMatch(/403|Authentication failed/);
      const report = await doctor([remote], where);
      expect(report.troubles).toEqual(['pull.not-vouch']);
      expect(why(report, 'pull.not-vouch')).toContain(cause);
      expect(why(report, 'pull.not-vouch')).toContain(
        "CodeCommit accepts Vouch's password for the role: a pull is allowed.",
      );
      expect(JSON.stringify(report)).not.toMatch(/hunter2|aHVudGVyMg/);
      return report;
    }

    test.each([
      [
        'an entry for the host',
        `machine example.com login a password b\nmachine ${host}\n  login old password hunter2\n`,
        2,
      ],
      ['one without a login', `machine ${host.toUpperCase()} password hunter2\n`, 1],
      ['an entry for all hosts', 'machine example.com login a password b default login old password hunter2\n', 1],
    ])('~/.netrc: %s', async (_, text, line) => {
      writeFileSync(netrc(), text);
      const report = await blamed(url, `in ~/.netrc, line ${line}`);
      expect(finding(report, 'pull.not-vouch')?.what).toBe(
        'Git did not ask Vouch, and CodeCommit refused the request.',
      );
      // For an entry for all hosts the doctor suggests a user name in the URL.
      if (text.includes('default')) await gitWorks(url.replace('https://', 'https://vouch@'));
      // The same happens with codecommit://, which becomes HTTPS.
      await blamed('codecommit://demo', `in ~/.netrc, line ${line}`);
      await rm(netrc());
      await gitWorks();
    });

    test('~/.netrc with a valid password: Git works, but without Vouch', async () => {
      const { stdout } = await sandbox.succeed('git', ['credential', 'fill'], { input: `url=${url}\n\n` });
      const [username, password] = ['username', 'password'].map(
        (name) => RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1],
      );
      writeFileSync(netrc(), `machine ${host} login ${username} password ${password}\n`);
      const report = await doctor([url]);
      expect(report).toMatchObject({ code: 0, troubles: [] });
      expect(finding(report, 'pull.not-vouch')).toMatchObject({
        severity: 'warning',
        what: expect.stringContaining('Git did not ask Vouch, and CodeCommit accepted another'),
        why: [`There is an entry for ${host} in ~/.netrc, line 1: Git answers with that.`],
      });
      expect(JSON.stringify(report)).not.toContain(password);
    });

    test('an Authorization header, for all hosts, for these, and one that clears all others', async () => {
      const basic = Buffer.from('old:hunter2').toString('base64');
      for (const [key, value] of [
        ['http.extraHeader', `Authorization: Basic ${basic}`],
        ['http.https://git-codecommit.*.amazonaws.com.extraHeader', `AUTHORIZATION: bearer hunter2`],
        ['http.extraHeader', 'Authorization:'],
      ] as const) {
        await sandbox.succeed('git', ['config', '--global', key, value]);
        await blamed(url, `${key} in ~/.gitconfig sets a header Authorization`);
        await sandbox.succeed('git', ['config', '--global', '--unset', key]);
        await gitWorks();
      }
      // Other headers do no harm.
      await sandbox.succeed('git', ['config', '--global', 'http.extraHeader', 'X-Team: payments']);
      expect((await doctor([url])).findings.filter(({ id }) => id.startsWith('pull.'))).toEqual([]);
    });

    test('http.emptyAuth for all hosts, which the suggested command turns off for CodeCommit', async () => {
      await sandbox.succeed('git', ['config', '--global', 'http.emptyAuth', 'true']);
      if ((await git(['ls-remote', url])).code === 0) return; // Newer versions of Git ask their helper first.
      const report = await blamed(url, 'http.emptyAuth in ~/.gitconfig is on');
      const [, command = ''] = /`git ([^`]+)`/.exec(fix(report, 'pull.not-vouch')) ?? [];
      await sandbox.succeed('git', command.split(' '));
      await gitWorks();
    });

    test('an empty user name in the URL', async () => {
      const cwd = await clone(url.replace('https://', 'https://@'));
      if ((await git(['ls-remote', 'origin'], { cwd })).code === 0) return; // Newer versions of Git ask their helper first.
      const report = await blamed('origin', 'There is an empty user name in the URL', { cwd });
      expect(fix(report, 'pull.not-vouch')).toBe(`Run \`git remote set-url origin ${url}\`.`);
    });

    test('and a role without permission: the doctor reports both', async () => {
      changeRole((role) => {
        role.permissions = allow('codecommit:GitPush');
      });
      writeFileSync(netrc(), `machine ${host} login old password hunter2\n`);
      const report = await doctor([url]);
      expect(report.troubles).toEqual(['pull.not-vouch', 'pull.no-git-pull', 'push.not-vouch']);
      expect(why(report, 'pull.no-git-pull')).toContain('AWS says: AccessDeniedException: User: arn:aws:sts::');
    });

    test('if CodeCommit cannot be reached without Git, the doctor says nothing about the role', async () => {
      writeFileSync(netrc(), `machine ${host} login old password hunter2\n`);
      sandbox.aws.intercept = ({ service, request }) => {
        if (service !== 'codecommit' || request.headers['user-agent'] !== 'git/vouch-doctor') return undefined;
        request.socket.destroy();
        return true;
      };
      onTestFinished(() => {
        sandbox.aws.intercept = undefined;
      });
      const report = await doctor([url]);
      expect(report.troubles).toEqual(['pull.not-vouch']);
      expect(why(report, 'pull.not-vouch')).toContain('What the role may do is not known: ');
    });

    test('credentials that CodeCommit does not accept are not reported as a missing permission', async () => {
      sandbox.aws.intercept = ({ service, request, response }) => {
        if (service !== 'codecommit' || request.headers.authorization === undefined) return undefined;
        const body =
          '<InvalidSignatureException>\n  <Message>Signature expired</Message>\n</InvalidSignatureException>';
        response.writeHead(403, { 'x-amzn-requestid': 'the-request' }).end(body);
        return true;
      };
      onTestFinished(() => {
        sandbox.aws.intercept = undefined;
      });
      const report = await doctor([url]);
      expect(report.troubles).toEqual(['pull.credentials']);
      expect(why(report, 'pull.credentials')).toBe(
        "AWS says: InvalidSignatureException: Signature expired\nAWS's request ID: the-request",
      );
    });
  });

  test('a helper list that the command line clears, as GitHub Desktop does: the doctor suggests codecommit://, which works', async () => {
    const cwd = await clone();
    const env = { GIT_CONFIG_PARAMETERS: "'credential.helper='" };
    expect((await git(['ls-remote', 'origin'], { cwd, env })).code).toBe(128);
    const report = await doctor([], { cwd, env });
    expect(report.troubles).toEqual(['git-config.no-helper']);
    expect(finding(report, 'git-config.no-helper')?.what).toContain("an empty one in Git's command line");
    const address = 'codecommit::us-east-1://demo';
    expect(fix(report, 'git-config.no-helper')).toContain(`\`git remote set-url origin ${address}\``);
    expect(await doctor(['--fix'], { cwd, env })).toMatchObject({ code: 1, fixed: [] });
    await sandbox.succeed('git', ['remote', 'set-url', 'origin', address], { cwd });
    await gitWorks('origin', { cwd, env });
    expect(await doctor([], { cwd, env })).toMatchObject({ code: 0, troubles: [] });
    // If the repository's own configuration clears the list, a setup there helps.
    const local = await clone();
    await sandbox.succeed('git', ['config', '--local', 'credential.helper', ''], { cwd: local });
    expect(fix(await doctor([], { cwd: local }), 'git-config.no-helper')).toContain('`vouch setup codecommit --local`');
    expect(await doctor(['--fix'], { cwd: local })).toMatchObject({ code: 0 });
    await gitWorks('origin', { cwd: local });
  });

  test('.git at the end: the doctor shows the ARN that AWS checks', async () => {
    const cwd = await clone(`${url}.git`);
    const report = await doctor([], { cwd });
    expect(report.troubles).toEqual(['pull.forbidden']);
    expect(why(report, 'pull.forbidden')).toContain('arn:aws:codecommit:us-east-1:123456789012:demo.git');
    expect(fix(report, 'remote.dot-git')).toBe(`Run \`git remote set-url origin ${url}\`.`);
    await sandbox.succeed('git', ['remote', 'set-url', 'origin', url], { cwd });
    expect(await doctor([], { cwd })).toMatchObject({ code: 0, troubles: [] });
  });

  test('a remote over SSH is recognised as CodeCommit’s, but Vouch does not serve it', async () => {
    const { host, pathname } = new URL(url);
    for (const address of [
      `ssh://${host}${pathname}`,
      `ssh://APKAEXAMPLE@${host}${pathname}`,
      `APKAEXAMPLE@${host}:${pathname}`,
    ]) {
      const cwd = await clone(address);
      const report = await doctor([], { cwd });
      expect(report).toMatchObject({ code: 1, troubles: ['remote.ssh'], url });
      expect(why(report, 'remote.ssh')).toMatch(/^The address is .*git-codecommit/);
      expect(fix(report, 'remote.ssh')).toBe(`Run \`git remote set-url origin ${url}\`.`);
      expect((await doctor([address])).troubles).toEqual(['remote.ssh']);
      await sandbox.succeed('git', ['remote', 'set-url', 'origin', url], { cwd });
      expect(await doctor([], { cwd })).toMatchObject({ code: 0, troubles: [] });
    }
    // The doctor looks at the address after Git has rewritten it.
    const cwd = await clone();
    await sandbox.succeed('git', ['config', '--local', `url.ssh://${host}/.insteadOf`, `https://${host}/`], { cwd });
    expect((await doctor([], { cwd })).troubles).toEqual(['remote.ssh']);
    expect((await doctor([url.replace('https:', 'http:')])).troubles).toEqual(['remote.http']);
  });

  test('a remote that pushes elsewhere', async () => {
    const cwd = await clone();
    await sandbox.succeed('git', ['remote', 'set-url', '--push', 'origin', 'https://bob:hunter2@example.com/x'], {
      cwd,
    });
    const report = await doctor([], { cwd });
    expect(finding(report, 'remote.push-elsewhere')?.what).toContain('https://…@example.com/x');
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  test('AWS’s own words about its decision are passed on', async () => {
    const id = 'EXAMPLE1a2b3c4d5e6f7g8h9i0j';
    const arn = `arn:aws:iam::123456789012:policy/${'a-long-path/'.repeat(20)}Deny`;
    const message = `User: arn:aws:sts::123456789012:assumed-role/VouchDeveloper/alice@example.com is not authorized to perform: ACTION on resource: RESOURCE with an explicit deny in an identity-based policy: ${arn}. Go to https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/${id} for complete details, or call the GetRequestAuthorizationDetails API with the following authorization id: ${id}`;
    let denied = 'codecommit';
    sandbox.aws.intercept = ({ service, action, request, response }) => {
      if (service !== denied || action === 'GetCallerIdentity') return undefined;
      if (service === 'codecommit' && request.headers.authorization === undefined) return undefined;
      const said = message.replace(
        'ACTION',
        service === 'sts' ? 'sts:AssumeRoleWithWebIdentity' : 'codecommit:GitPull',
      );
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(
        service === 'sts'
          ? `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${said}</Message></Error></ErrorResponse>`
          : `<AccessDeniedException>\n  <Message>${said}</Message>\n</AccessDeniedException>`,
      );
      return true;
    };
    onTestFinished(() => {
      sandbox.aws.intercept = undefined;
    });
    const pulled = await doctor([url]);
    expect(pulled.troubles).toEqual(['pull.forbidden']);
    expect(why(pulled, 'pull.forbidden')).toContain(`AWS's authorization ID: ${id}`);
    expect(fix(pulled, 'pull.forbidden')).toContain(`--authorization-id ${id}`);
    denied = 'sts';
    const assumed = await doctor([url]);
    expect(assumed.troubles).toEqual(['sts.trust']);
    expect(why(assumed, 'sts.trust')).toContain(`authorization id: ${id}`);
    expect(fix(assumed, 'sts.trust')).toContain(`--authorization-id ${id}`);
  });

  test('Ctrl-C ends the doctor at once, and the Git that it started', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const { promise: cut, resolve: wasCut } = Promise.withResolvers<void>();
    sandbox.aws.intercept = async ({ service, request }) => {
      if (service !== 'codecommit') return undefined;
      request.socket.once('close', () => wasCut());
      resolve();
      await cut;
      return true;
    };
    onTestFinished(() => {
      sandbox.aws.intercept = undefined;
    });
    const child = spawn(join(sandbox.folder, 'bin/vouch'), ['doctor', url], { env: sandbox.env, cwd: sandbox.home });
    const ended = once(child, 'close');
    await asked;
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
    await cut;
  });

  test('wrong region: --try-regions finds the right one, and the suggested command is enough', async () => {
    await sandbox.addAccount('210987654321', { profile: 'prod', region: 'eu-west-1', repository: 'payments' });
    const named = url.replace('https://', 'https://vouch@').replace('demo', 'payments');
    const cwd = await clone(named);
    expect((await git(['fetch'], { cwd })).code).toBe(128);

    const report = await doctor(['--try-regions'], { cwd });
    expect(report.troubles).toEqual(['pull.forbidden']);
    const right = 'https://prod@git-codecommit.eu-west-1.amazonaws.com/v1/repos/payments';
    expect(why(report, 'pull.forbidden')).toContain('There is one of that name in eu-west-1, for profile prod');
    expect(fix(report, 'pull.forbidden')).toContain(`\`git remote set-url origin ${right}\``);
    await sandbox.succeed('git', ['remote', 'set-url', 'origin', right], { cwd });
    const elsewhere = ['--try-regions', 'codecommit::us-east-1://prod@payments'];
    expect(fix(await doctor(elsewhere), 'pull.forbidden')).toBe(
      'If that is the one, this is its URL: codecommit::eu-west-1://prod@payments',
    );
    // The profile is newer than the setup; older versions of Git need its name in their configuration.
    const [next] = (await doctor([], { cwd })).troubles;
    if (next !== undefined) {
      expect(next).toBe('git-config.user-name');
      await sandbox.succeed('vouch', ['setup', 'codecommit']);
    }
    expect(await doctor([], { cwd })).toMatchObject({ code: 0, troubles: [] });
    expect((await git(['fetch'], { cwd })).code).toBe(0);

    // Without a name the default profile serves; without a default there are two candidates.
    expect(await doctor([url])).toMatchObject({ code: 0 });
    await forgetDefault(sandbox.home);
    const several = await doctor([url]);
    expect(several.troubles).toEqual(['profile.several-profiles']);
    expect(why(several, 'profile.several-profiles')).toContain('prod (arn:aws:iam::210987654321:role/VouchDeveloper)');
    expect(await doctor([url], { env: { AWS_PROFILE: 'vouch' } })).toMatchObject({ code: 0 });
    expect(await doctor([])).toMatchObject({ code: 0 });
  });

  test('a chained role that does not let us in: the finding names the role that refused', async () => {
    const role = addChainedRole(sandbox.first, sandbox.first.account, 'Deployer');
    await addProfile(sandbox.home, 'deploy', { role_arn: role.arn, source_profile: 'vouch', region: 'us-east-1' });
    await sandbox.succeed('vouch', ['setup', 'codecommit']);
    const remote = 'codecommit://deploy@demo';
    expect(await doctor([remote])).toMatchObject({ code: 0 });
    const trustPolicy = JSON.parse(JSON.stringify(role.trustPolicy).replace('sts:AssumeRole', 'sts:GetCallerIdentity'));
    sandbox.first.account.setPolicies('Deployer', { trustPolicy });
    const report = await doctor([remote]);
    expect(report.troubles).toEqual(['sts.chain']);
    expect(finding(report, 'sts.chain')?.what).toContain(role.arn);
  });
});
