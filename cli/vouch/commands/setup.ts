import { changeConfig, readConfig, serverUrl } from '../../config.ts';
import { prepareNetwork } from '../../network/proxies-and-certificates.ts';
import type { Note } from '../../problem/note.ts';
import { printProblem } from '../../problem/print.ts';
import { asProblem } from '../../problem/problem.ts';
import { appendLine, startupFile } from '../../prompt/startup-file.ts';
import { nextStep } from '../../setup/next-step.ts';
import { type Found, type Step, type StepId, steps } from '../../setup/steps.ts';
import { ask, confirm, type Dialog, openDialog } from '../../terminal/dialog.ts';
import { interruptible } from '../../terminal/interrupt.ts';
import type { Io } from '../../terminal/io.ts';
import { fitted, hang } from '../../text/hang.ts';
import { jsonText } from '../../text/json-text.ts';
import { isPersonThere } from '../confirmed.ts';
import { setupAws } from './setup-aws.ts';
import { setupCodeCommit } from './setup-codecommit.ts';

export interface SetupOptions {
  server?: string;
  /** False with --no-browser: the address of the enrolment or the login is only printed. */
  browser: boolean;
  /** JSON for programs; then nothing is asked or changed. */
  json?: boolean;
}

/** What has been found, by the steps' names. */
type Findings = Map<StepId, Found>;

/**
 * `vouch setup`: walks through all that a machine needs. On a terminal it asks about each step that is not done, and runs the command
 * that does it; elsewhere it changes nothing, and prints what is missing.
 *
 * @param terminal whether a person can be asked
 * @returns 0 when nothing is missing that Git needs, otherwise 1
 */
export async function setup(
  { json = false, ...options }: SetupOptions,
  io: Io,
  terminal: boolean = isPersonThere(),
): Promise<number> {
  const found: Findings = new Map();
  if (terminal && !json) {
    for (const step of steps) found.set(step.id, await walk(step, options, io));
  } else {
    for (const step of steps) found.set(step.id, await step.look(io.env));
  }
  const missing = steps.filter(({ id }) => found.get(id)?.done === false);
  const needed = missing.filter(({ optional }) => !optional);
  const ready = needed.length === 0;
  if (json) io.stdout.write(`${jsonText({ ready, steps: steps.map((step) => asData(step, found)) })}\n`);
  else if (!terminal) printAll(missing, found, io);
  if (!json)
    io.stdout.write(
      fitted(ready ? `All is set up. Next: ${await nextStep(io.env)}\n` : leftOver(needed, terminal), io.stdout),
    );
  return ready ? 0 : 1;
}

function asData({ id, optional }: Step, found: Findings) {
  const { done = false, says = '', how = null } = found.get(id) ?? {};
  return { id, done, optional, says, how };
}

function printAll(missing: readonly Step[], found: Findings, io: Io): void {
  for (const step of steps) {
    const { says = '', how } = found.get(step.id) ?? {};
    printLine(step.title, says, io);
    if (missing.includes(step) && how !== undefined) printLine('', `→ ${how}`, io);
  }
}

function printLine(title: string, text: string, { stdout }: Io): void {
  const width = Math.max(...steps.map((step) => step.title.length));
  const columns = (stdout.isTTY && stdout.columns) || Number.POSITIVE_INFINITY;
  stdout.write(`${hang(`${title.padEnd(width)}  `, text, columns)}\n`);
}

/** One step with a person: prints what there is, and does what is missing, if the person wants it. */
async function walk(step: Step, options: SetupOptions, io: Io): Promise<Found> {
  const before = await step.look(io.env);
  // A server that the person names counts more than the one before.
  const isNamed = step.id === 'server' && options.server !== undefined;
  if (!isNamed) printLine(step.title, before.says, io);
  if (before.done && !isNamed) return before;
  const done = await does[step.id](options, io);
  const after = await step.look(io.env);
  // The other steps' commands print what they have done.
  if (step.id === 'server') printLine(step.title, after.says, io);
  return { ...after, done };
}

/** Does a step that is not done; each is whole when it ends. They return whether it is done now. */
const does: Record<StepId, (options: SetupOptions, io: Io) => Promise<boolean>> = {
  server: async ({ server: named }, { env }) => {
    const { reachServer } = await import('../../login/reach-server.ts');
    const text = 'Address of your Vouch server, such as https://vouch.example.com\n  (your administrator knows it)';
    const answer = named ?? (await asking((dialog) => ask(dialog, { text, check: wrongServer })));
    const server = serverUrl(answer);
    prepareNetwork(env);
    await interrupted((signal) => reachServer(server, process.stderr, signal));
    if (readConfig(env).server !== server) changeConfig(env, { server });
    return true;
  },
  enrolment: async ({ browser }, { env }) => {
    const { server } = readConfig(env);
    const question = 'Is your key enrolled already, from another machine?';
    // The first login here tells whose it is, and then nobody is asked again.
    if (await yes(question, false)) {
      const { login } = await import('./login.ts');
      await login({ browser, timeout: 300, isStep: true });
      return true;
    }
    const { enroll } = await import('./enroll.ts');
    await enroll({ ...(server === undefined ? {} : { server }), browser, timeout: 300, isStep: true });
    return true;
  },
  aws: async (_, io) => {
    if (!(await yes('Add a profile for your AWS role?', true))) return false;
    await setupAws({ isStep: true }, io, true);
    return true;
  },
  codecommit: async (_, io) => {
    if (!(await yes('Have Git ask Vouch for CodeCommit?', true))) return false;
    await setupCodeCommit({ isStep: true }, io);
    return true;
  },
  prompt: async (_, { env, stdout }) => {
    const startup = startupFile(env);
    if (startup === undefined) return true;
    const { file, line } = startup;
    stdout.write(`  ${line}\n`);
    if (!(await yes(`Append this line to ${file}?`, false))) return false;
    try {
      appendLine(startup, env);
    } catch (error) {
      // Git needs no prompt, and the person can add the line.
      printProblem(process.stderr, error);
      return false;
    }
    stdout.write(fitted(`Appended to ${file}. To undo it, delete that line.\n`, stdout));
    return true;
  },
};

function wrongServer(answer: string): Note | undefined {
  try {
    serverUrl(answer);
    return undefined;
  } catch (error) {
    return asProblem(error);
  }
}

const yes = (question: string, byDefault: boolean) => asking((dialog) => confirm(dialog, question, byDefault));

const asking = <Answer>(question: (dialog: Dialog) => Promise<Answer>) =>
  interrupted((signal) => question(openDialog(signal)));

async function interrupted<Result>(wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const { signal, release } = interruptible();
  try {
    return await wait(signal);
  } finally {
    release();
  }
}

function leftOver(needed: readonly Step[], terminal: boolean): string {
  const names = needed.map(({ title }) => title).join(', ');
  const next = terminal ? 'Next: `vouch setup` again' : 'Next: `vouch setup` on a terminal, or the commands above';
  return `Not set up yet: ${names}. ${next}\n`;
}
