import { endHungAgent } from '../../agent/client/end-hung.ts';
import { findAgent, foundBy } from '../../agent/client/find-agent.ts';
import { startAgent } from '../../agent/client/start.ts';
import { type StoppedAgent, stopAgent } from '../../agent/client/stop-agent.ts';
import type { AgentStatus, ServiceManager } from '../../agent/protocol/messages.ts';
import { printNote } from '../../problem/print.ts';
import type { Io } from '../../terminal/io.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';
import { clockTime } from '../../text/time.ts';

export interface AgentOptions {
  /** JSON for programs. */
  json?: boolean;
}

/** `vouch agent start`, which `vouch login` does by itself. */
export async function agentStart({ json = false }: AgentOptions, io: Io): Promise<number> {
  const { started } = await startAgent(io.env);
  if (json) io.stdout.write(`${jsonText({ running: true, started })}\n`);
  else io.stdout.write(started ? 'The agent is running. Next: `vouch login`\n' : 'The agent is already running\n');
  return 0;
}

/** `vouch agent stop`: ends the agent, and with it the session. */
export async function agentStop({ json = false }: AgentOptions, io: Io): Promise<number> {
  const found = await foundBy(stopAgent(io.env));
  if (found.state === 'hung') {
    printNote(io.stderr, { what: 'The agent does not answer, so its process is ended.' });
    await endHungAgent(io.env);
  }
  if (json) {
    const { session, dropped } = found.state === 'running' ? found.answer : {};
    // Whether a hung agent had a session, nobody knows.
    const hadSession = found.state === 'hung' ? null : Boolean(session);
    const facts = {
      stopped: found.state !== 'none',
      hadSession,
      revoked: session ? (dropped?.revoked ?? false) : null,
    };
    io.stdout.write(`${jsonText(facts)}\n`);
    return 0;
  }
  if (found.state === 'none') io.stdout.write('No agent is running\n');
  if (found.state === 'running') printStopped(found.answer, io);
  if (found.state === 'hung') {
    io.stdout.write('The agent has ended, and a session that it had: at the server that ends by itself\n');
  }
  return 0;
}

function printStopped({ session, service, dropped: { revoked, reason = '' } }: StoppedAgent, io: Io): void {
  const hadSession = session !== null;
  io.stdout.write(hadSession ? 'The agent has ended, and your session with it\n' : 'The agent has ended\n');
  if (service) io.stdout.write(`${startsAgain[service]} (\`vouch agent uninstall\` ends that)\n`);
  if (hadSession && !revoked) {
    const what = 'The server could not be told; nothing of the session is left here.';
    printNote(io.stderr, { what, why: reason });
  }
}

const startsAgain: Record<ServiceManager, string> = {
  systemd: 'systemd starts a new one when it is asked for something',
  launchd: 'launchd starts a new one',
};

/** `vouch agent status`: exit code 0 when an agent runs, 3 when none does. */
export async function agentStatusCommand({ json = false }: AgentOptions, io: Io): Promise<number> {
  const found = await findAgent(io.env);
  if (found.state === 'hung') throw found.problem;
  if (found.state === 'none') {
    io.stdout.write(json ? '{"running":false}\n' : 'No agent is running\n');
    return 3;
  }
  const { answer: status } = found;
  io.stdout.write(json ? `${jsonText({ running: true, ...status })}\n` : statusLines(status));
  return 0;
}

function statusLines({ pid, version, startedAt, service, session, credentials }: AgentStatus): string {
  const now = new Date();
  const since = clockTime(new Date(startedAt), now);
  const as = service ? ` as a service of ${service}` : '';
  const lines = [`Agent     running${as} since ${since}, version ${version}, process ${pid}`];
  lines.push(
    session
      ? `Session   ${session.email}, "${printable(session.key.name, 100)}", until ${clockTime(new Date(session.expiresAt), now)}`
      : 'Session   none: run `vouch login`',
  );
  for (const { role, expiresAt } of credentials)
    lines.push(`AWS       ${role}, credentials until ${clockTime(new Date(expiresAt), now)}`);
  return `${lines.join('\n')}\n`;
}
