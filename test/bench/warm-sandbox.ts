import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { run } from '../support/run.ts';
import type { WarmSandbox } from './bench.ts';
import { Person } from './person.ts';

/** Starts a sandbox, signs in, and lets the agent fetch AWS credentials: from then on everything is warm. */
export async function startWarmSandbox(signal: AbortSignal): Promise<WarmSandbox & AsyncDisposable> {
  const sandbox = await startSandbox({ files: { 'README.md': 'Hello\n' }, signal });
  try {
    await sandbox.succeed('vouch', ['login']);
    const request = await gitRequest(sandbox);
    const { stdout } = await sandbox.succeed('git-credential-vouch', ['get'], { input: request });
    if (!/^(?:password|credential)=/m.test(stdout)) throw new Error('the credential helper gives no password');
    const requestFile = join(sandbox.folder, 'tmp', 'request');
    writeFileSync(requestFile, request);
    const person = await Person.enrol(sandbox, 'bench@example.com');
    const runtime = join(sandbox.folder, 'person');
    mkdirSync(runtime, { mode: 0o700 });
    // Settings for this person only, which do not name the person who signed in before.
    const config = join(sandbox.folder, 'config');
    mkdirSync(join(config, 'vouch'), { recursive: true, mode: 0o700 });
    writeFileSync(join(config, 'vouch/config.json'), JSON.stringify({ server: sandbox.issuer }));
    const personEnv = { ...sandbox.env, XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: config };
    const close = async () => {
      await run('vouch', ['agent', 'stop'], { env: personEnv });
      await sandbox.close();
    };
    return { sandbox, request, requestFile, person, personEnv, [Symbol.asyncDispose]: close };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** The request as this Git writes it: Git 2.46 and newer send their capabilities first. */
async function gitRequest({ succeed, repositoryUrl }: Sandbox): Promise<string> {
  const { stdout } = await succeed('git', ['version']);
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number);
  const speaks = major > 2 || (major === 2 && minor >= 46) ? 'capability[]=authtype\ncapability[]=state\n' : '';
  const { host, pathname } = new URL(repositoryUrl);
  return `${speaks}protocol=https\nhost=${host}\npath=${pathname.slice(1)}\n`;
}
