import { rmSync } from 'node:fs';
import { findAgent } from '../agent/client/find-agent.ts';
import { dropSession } from '../agent/client/requests.ts';
import type { AgentStatus } from '../agent/protocol/messages.ts';
import { readTextIfThere } from '../files/read-file.ts';
import { replaceFile } from '../files/replace-file.ts';
import { Problem } from '../problem/problem.ts';
import type { Manager, ServiceFile, ServiceForm } from './manager.ts';
import { authorOf } from './written-by-us.ts';

export interface ServiceOptions {
  /** Ends a running session, and replaces files that others wrote or changed. */
  force: boolean;
  env: NodeJS.ProcessEnv;
}

/** The longest wait for a new agent's answer, in milliseconds. */
const answerTimeout = 30_000;

export interface Installed {
  form: ServiceForm;
  /** False when everything was in place already. */
  changed: boolean;
}

/**
 * Makes the agent a service, and waits until the service's agent answers. On failure all files are put back, but an agent that was
 * running before stays ended.
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
      what: `${manager.name} has started the agent, but the agent does not answer.`,
      why: `${manager.name}'s log says more.`,
      fix: 'Use Vouch without a service: `vouch login` starts the agent.',
    });
  } catch (error) {
    await putBack(manager, before);
    throw error;
  }
}

/**
 * Undoes installService. A second call does no harm.
 *
 * @returns the files that were removed; none when there was no service
 * @throws Problem `file-of-others`, `service`
 */
export async function uninstallService(manager: Manager, options: ServiceOptions): Promise<string[]> {
  const before = manager.paths.map((path) => ({ path, text: readTextIfThere(path) }));
  const there = before.filter(({ text }) => text !== undefined);
  if (there.length === 0) return [];
  checkFiles(before, options);
  await manager.check();
  // The agent then tells the server that the session has ended.
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

/** Refuses files that others wrote or changed. */
function checkFiles(files: readonly FileBefore[], { force }: ServiceOptions): void {
  for (const { path, text } of files) {
    const author = authorOf(text);
    if (force || author === 'nobody' || author === 'vouch') continue;
    throw new Problem({
      kind: 'file-of-others',
      what: author === 'changed' ? `${path} was changed since Vouch wrote it.` : `${path} was not written by Vouch.`,
      fix: 'Look at it; with --force it is replaced or removed anyway.',
    });
  }
}

async function runningAgent(env: NodeJS.ProcessEnv): Promise<AgentStatus | undefined> {
  const found = await findAgent(env);
  if (found.state === 'running') return found.answer;
  // A new installation replaces an agent that answers wrongly.
  if (found.state === 'hung' && found.problem.kind !== 'agent-silent') throw found.problem;
  return undefined;
}

/** Ends the agent that has the sockets now. An agent with a session ends only with `force`. */
async function makeWay({ session, pid }: AgentStatus, { force, env }: ServiceOptions): Promise<void> {
  if (session !== null && !force) {
    throw new Problem({
      kind: 'agent-runs',
      what: 'An agent with your session is running, and would have to end.',
      why: `It is process ${pid}, and has the session of ${session.email} only in its memory.`,
      fix: 'Run `vouch agent stop`, or this with --force, which ends the session too; afterwards `vouch login`.',
    });
  }
  await dropSession(env);
}

/** Whether the service's agent answers. */
async function answers(manager: Manager, env: NodeJS.ProcessEnv): Promise<boolean> {
  const end = performance.now() + answerTimeout;
  for (;;) {
    const found = await findAgent(env).catch(() => undefined);
    if (found?.state === 'running') return found.answer.service === manager.name;
    if (performance.now() >= end || (manager.holdsSockets && found?.state === 'none')) return false;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Puts all files back. Failures here are not reported, because the caller reports the first failure. */
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
