/** `npm run demo`: plays a first day. It runs the real commands in a sandbox and shows what they print. */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { type Input, type } from '../support/run.ts';
import { PERSON, REGION, REPOSITORY, type Sandbox, startSandbox } from './sandbox.ts';

const color = process.stdout.isTTY && !process.env.NO_COLOR;
const strong = (text: string) => (color ? `\x1b[1m${text}\x1b[0m` : text);
const quiet = (text: string) => (color ? `\x1b[2m${text}\x1b[0m` : text);

const print = (text: string) => process.stdout.write(`${text}\n`);
const chapter = (title: string) => print(`\n${strong(`# ${title}`)}`);
const aside = (text: string) => print(quiet(`  (${text})`));

interface Step {
  cwd?: string;
  input?: Input;
  /** The expected status, 0 by default. */
  status?: number;
}

const stopping = new AbortController();
const { signal } = stopping;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => stopping.abort(new Error(`ended by ${name}`)));
}

let sandbox: Sandbox | undefined;
try {
  print('Starting a Vouch server, a local AWS, and a browser with a security key …');
  sandbox = await startSandbox({ fresh: true, signal });
  await firstDay(sandbox);
} catch (error) {
  process.stderr.write(`demo: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await sandbox?.close();
}

async function firstDay(sandbox: Sandbox): Promise<void> {
  const { home, issuer, roleArn, repositoryUrl } = sandbox;
  const stepWithAnswer = (command: string[]) => show(sandbox, command, {}, 'pipe');
  const step = (command: string[], options: Step = {}) => show(sandbox, command, options, 'inherit');
  const work = `${home}/${REPOSITORY}`;

  chapter('The administrator invites Alice');
  const invitation = await stepWithAnswer(['vouch-server', 'invite', PERSON]);
  const code = /Invitation code\s+(\S+)/.exec(invitation)?.[1] ?? '';

  chapter('Alice enrols her security key, once');
  aside('`vouch setup` would ask her for each thing; here are its steps, one by one');
  aside('she types the invitation code and the words that the page shows, and touches the key when the browser asks');
  await step(['vouch', 'enroll', '--server', issuer, '--name', 'Work key'], { input: sandbox.typed(code) });

  chapter('She sets up AWS and Git, once');
  await step(['vouch', 'setup', 'aws', '--role', roleArn, '--region', REGION]);
  await step(['vouch', 'setup', 'codecommit']);

  chapter('Without a session, Git says what to do, and asks for no password');
  await step(['git', 'ls-remote', repositoryUrl], { status: 128 });

  chapter('She touches her key, once a day');
  await step(['vouch', 'login']);
  await step(['vouch', 'status']);

  chapter('Now Git simply works');
  await step(['git', 'clone', repositoryUrl]);
  await step(['sh', '-c', 'echo "Hello from Vouch" > hello.txt'], { cwd: work });
  await step(['git', 'add', 'hello.txt'], { cwd: work });
  await step(['git', 'commit', '--quiet', '--message', 'Say hello'], { cwd: work });
  await step(['git', 'push'], { cwd: work });
  await step(['git', 'clone', repositoryUrl, 'second-clone']);
  await step(['git', 'log', '--oneline', '--stat'], { cwd: `${home}/second-clone` });

  chapter('In the evening she signs out');
  await step(['vouch', 'logout']);
  await step(['git', 'fetch'], { cwd: work, status: 128 });

  print(`\n${strong('That was all.')} Nothing that could be stolen was ever on the disk.`);
  print('To try it yourself:  npm run sandbox');
}

/**
 * Prints a command, then runs it and shows its output.
 *
 * @param stdout 'pipe' also returns the output; 'inherit' keeps it in order with standard error
 */
function show(
  { env, home }: Sandbox,
  [command = '', ...args]: string[],
  options: Step,
  stdout: 'inherit' | 'pipe',
): Promise<string> {
  signal.throwIfAborted();
  const words = [command, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`));
  print(`\n${strong(`$ ${words.join(' ')}`)}`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd: options.cwd ?? home, stdio: ['pipe', stdout, 'inherit'] });
    type(options.input ?? '', child.stdin as Writable);
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk;
      process.stdout.write(chunk);
    });
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === (options.status ?? 0)) resolve(said);
      else reject(new Error(`${words.join(' ')} ended with ${status}, not with ${options.status ?? 0}`));
    });
  });
}
