import { rmSync } from 'node:fs';
import { dropSession } from '../agent/client/client.ts';
import { findAgent } from '../agent/client/find-agent.ts';
import type { AgentStatus } from '../agent/protocol.ts';
import { readTextIfThere } from '../files/read-file.ts';
import { replaceFile } from '../files/replace-file.ts';
import { Problem } from '../problem/problem.ts';
import type { Manager, ServiceFile, ServiceForm } from './manager.ts';
import { authorOf } from './mark.ts';

export interface ServiceOptions {
  /** Ends a session that is in the way, and takes files over that are not, or no longer, as Vouch wrote them. */
  force: boolean;
  env: NodeJS.ProcessEnv;
}

/** How long an agent that was just started may take to answer, in milliseconds. */
const answerTimeout = 30_000;

export interface Installed {
  form: ServiceForm;
  /** False when it was all there already. */
  changed: boolean;
}

/**
 * Makes the agent a service, and sees that it answers as one. When that fails, everything is as it was before, but for an
 * agent that ran.
 *
 * @throws Problem `agent-runs`, `file-of-others`, `service`, and as Manager.check, Manager.form and replaceFile
 */
export async function installService(manager: Manager, options: ServiceOptions): Promise<Installed> {
  const { env } = options;
  await manager.check();
  const form = await manager.form();
  const before = manager.paths.map((path) => ({ path, text: readTextIfThere(path) }));
  const running = await runningAgent(env);
  const same = form.files.every(({ path, text }) => readTextIfThere(path) === text);
  if (same && running?.service === manager.name) return { form, changed: false };

  checkFiles(before, options);
  if (running) await makeWay(running, options);
  try {
    for (const { path, text } of form.files) replaceFile(path, text);
    await manager.start();
    if (await answers(manager, env)) return { form, changed: true };
    throw new Problem({
      kind: 'service',
      what: `${manager.name} has started the agent, and it does not answer.`,
      why: `${manager.name}'s log says more.`,
      fix: 'Use Vouch without a service: `vouch login` starts the agent.',
    });
  } catch (error) {
    await putBack(manager, before);
    throw error;
  }
}

/**
 * Undoes installService; again does no harm.
 *
 * @returns the files that were removed, none when there was no service
 * @throws Problem `file-of-others`, `service`
 */
export async function uninstallService(manager: Manager, options: ServiceOptions): Promise<string[]> {
  const before = manager.paths.map((path) => ({ path, text: readTextIfThere(path) }));
  const there = before.filter(({ text }) => text !== undefined);
  if (there.length === 0) return [];
  checkFiles(before, options);
  await manager.check();
  // So that the server hears of the session's end too.
  const running = await runningAgent(options.env);
  if (running?.service === manager.name) await dropSession(options.env);
  await manager.stop();
  for (const { path } of there) rmSync(path, { force: true });
  await manager.forget();
  return there.map(({ path }) => path);
}

interface FileBefore {
  path: string;
  text: string | undefined;
}

/** Leaves alone what others have written, or changed. */
function checkFiles(files: readonly FileBefore[], { force }: ServiceOptions): void {
  for (const { path, text } of files) {
    const author = authorOf(text);
    if (force || author === 'nobody' || author === 'vouch') continue;
    throw new Problem({
      kind: 'file-of-others',
      what: author === 'changed' ? `${path} was changed since Vouch wrote it.` : `${path} was not written by Vouch.`,
      fix: 'Look at it; with --force it is replaced or removed all the same.',
    });
  }
}

async function runningAgent(env: NodeJS.ProcessEnv): Promise<AgentStatus | undefined> {
  const found = await findAgent(env);
  if (found.state === 'running') return found.answer;
  // One that answers wrongly is what a new installation mends.
  if (found.state === 'hung' && found.problem.kind !== 'agent-silent') throw found.problem;
  return undefined;
}

/** Ends an agent that has the sockets' names; one without a session is missed by nobody. */
async function makeWay({ session, pid }: AgentStatus, { force, env }: ServiceOptions): Promise<void> {
  if (session !== null && !force) {
    throw new Problem({
      kind: 'agent-runs',
      what: 'An agent with your session is running, and would have to end.',
      why: `It is process ${pid}, and has the session of ${session.email} in its memory alone.`,
      fix: 'Run `vouch agent stop`, or this with --force, which ends the session too; afterwards `vouch login`.',
    });
  }
  await dropSession(env);
}

/** Whether the agent answers, and as the service. */
async function answers(manager: Manager, env: NodeJS.ProcessEnv): Promise<boolean> {
  const end = performance.now() + answerTimeout;
  for (;;) {
    const found = await findAgent(env).catch(() => undefined);
    if (found?.state === 'running') return found.answer.service === manager.name;
    if (performance.now() >= end || (manager.holdsSockets && found?.state === 'none')) return false;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Has everything as it was; what fails here is no news, because something has failed already. */
async function putBack(manager: Manager, before: readonly FileBefore[]): Promise<void> {
  const tried = (step: Promise<void>) => step.catch(() => {});
  await tried(manager.stop());
  for (const { path, text } of before) {
    if (text === undefined) rmSync(path, { force: true });
    else replaceFile(path, text);
  }
  const all = before.every((file): file is ServiceFile => file.text !== undefined);
  await tried(all ? manager.start() : manager.forget());
}
