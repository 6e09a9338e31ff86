import { hostname } from 'node:os';
import { changeConfig, chosenServer } from '../config.ts';
import { readLine } from '../login/ask.ts';
import { describeKey } from '../login/describe.ts';
import { enrolledKey, startEnrolment } from '../login/enrolment.ts';
import { interruptible } from '../login/interrupt.ts';
import { openBrowser } from '../login/open-browser.ts';
import { waitingLine } from '../login/waiting.ts';
import { printable } from '../problem.ts';

export interface EnrollOptions {
  server?: string;
  /** What the key shall be called; the server finds a name otherwise. */
  name?: string;
  /** False with --no-browser: the URL is only printed. */
  browser: boolean;
  /** The longest wait for the touch, in seconds. */
  timeout: number;
}

/** `vouch enroll`: makes a security key known to the server, with an invitation from the administrator. */
export async function enroll(options: EnrollOptions): Promise<number> {
  const { env, stdout, stderr } = process;
  const server = chosenServer(env, options.server);
  const { signal, release } = interruptible(
    options.timeout,
    'The key was not enrolled in time.',
    'Run `vouch enroll` again; your invitation is still good.',
  );
  try {
    const invitation = await readLine('Invitation code (from your administrator): ', signal);
    const machine = hostname().replace(/\p{C}/gu, '').slice(0, 64);
    const request = { invitation, machine, ...(options.name === undefined ? {} : { name: options.name }) };
    const { url, poll, email } = await startEnrolment(server, request, signal);
    const whose = `Enrolling a security key for ${printable(email)} at ${new URL(server).host}`;
    stdout.write(`${whose}\n  ${url}\n`);
    if (options.browser && !(await openBrowser(url, env))) {
      stderr.write('No browser could be started: open the address above yourself.\n');
    }
    const waiting = waitingLine(stderr, 'Follow the browser: it asks for your security key …');
    try {
      const key = await enrolledKey(server, poll, signal);
      waiting.done();
      changeConfig(env, { server });
      stdout.write(`Enrolled ${describeKey(key)} for ${printable(email)}. Next: \`vouch login\`\n`);
      return 0;
    } finally {
      waiting.done();
    }
  } finally {
    release();
  }
}
