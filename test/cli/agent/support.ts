import { Buffer } from 'node:buffer';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { agentStatus, putSession } from '../../../cli/agent/client/requests.ts';
import { type ServeOptions, serve } from '../../../cli/agent/serve.ts';
import { type Timeouts, usualTimeouts } from '../../../cli/agent/session/timeouts.ts';
import { prepareRuntimeFolder } from '../../../cli/runtime-folder/prepare-folder.ts';
import { gitRequest, type Machine, machine, newSession, say, services, setUpProfile } from '../support.ts';

export const hour = 3600_000;

/**
 * A server that is down is not tried again, because no pause fits into the request: tests of other things need not wait. A server
 * that is slow, as on a busy machine, is not taken for one that is down.
 */
const once: Timeouts = {
  ...usualTimeouts,
  replacement: usualTimeouts.request,
  call: usualTimeouts.request,
  firstPause: Number.POSITIVE_INFINITY,
};

/** A server that is down is tried again at once, for the usual time. */
export const soonAgain: Timeouts = {
  ...usualTimeouts,
  replacement: usualTimeouts.request,
  firstPause: 1,
  longestPause: 4,
};

/** An agent in this process, with a clock that the test moves. */
export async function agent(options: Partial<ServeOptions> = {}) {
  const [the, world] = [machine(), await services()];
  setUpProfile(the);
  const clock = { now: Date.now() };
  world.expiration = () => clock.now + hour;
  the.env.AWS_ENDPOINT_URL_STS = world.url;
  const running = await serve({ env: the.env, now: () => clock.now, timeouts: once, ...options });
  if (running === undefined) throw new Error('another agent runs here');
  onTestFinished(() => running.end());
  return { ...the, world, clock, running };
}

export async function signedIn(options: Partial<ServeOptions> = {}) {
  const the = await agent(options);
  await putSession(newSession(the.world.url, { expiresAt: new Date(the.clock.now + 8 * hour).toISOString() }), the.env);
  return the;
}

/** A person whose monotonic clock can be put forward, in milliseconds. */
export async function signedInWithClock() {
  const ahead = { by: 0 };
  return { ...(await signedIn({ uptime: () => performance.now() + ahead.by })), ahead };
}

export const viaGit = (the: Machine, request: string | Buffer = gitRequest) =>
  say(the.gitSocket, Buffer.concat([Buffer.from('action=get\ntimeout=900\n'), Buffer.from(request)]));

/**
 * Options for Node that give V8 a background thread which never ends, like one that waits for a garbage collection while the
 * program ends (nodejs/node#54918).
 *
 * @param folder where to put a file for it
 */
export function compilingWithoutEnd(folder: string): string[] {
  const busy = join(folder, 'busy.cjs');
  writeFileSync(
    busy,
    `const busy = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };
     for (let time = 0; time < 2000; time++) busy(2000);`,
  );
  return ['--concurrent-recompilation-delay=600000', '--require', busy];
}

/** Settles when an agent has ended. It is a child of this process, but startAgent returns no handle of it. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A machine whose agent is ended after the test. */
export function agentMachine(): Machine {
  const the = machine();
  onTestFinished(async () => {
    const pid = await agentStatus(the.env)
      .then((status) => status.pid)
      .catch(() => undefined);
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await gone(pid);
  });
  return the;
}

/** A machine with a server in the agent's place, which is no agent. */
export async function inAgentsPlace(onConnection: (socket: Socket) => void): Promise<Machine> {
  const the = machine();
  prepareRuntimeFolder(the.env);
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(the.agentSocket, resolve));
  onTestFinished(() => void server.close());
  return the;
}
