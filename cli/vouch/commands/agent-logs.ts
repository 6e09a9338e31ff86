import { setTimeout as sleep } from 'node:timers/promises';
import { agentLogs } from '../../agent/client/requests.ts';
import type { LogAnswer, LogEntry } from '../../agent/protocol/messages.ts';
import { Problem } from '../../problem/problem.ts';
import type { Io } from '../../terminal/io.ts';
import { jsonText } from '../../text/json-text.ts';
import { clockTime } from '../../text/time.ts';

/** How long to wait before asking the agent again, in milliseconds. */
const pause = 1000;

export interface AgentLogsOptions {
  /** JSON for programs, one entry per line. */
  json?: boolean;
  /** Goes on until the agent ends. */
  follow?: boolean;
}

/** `vouch agent logs`: what the agent has done and why. Exit code 3 when no agent runs. */
export async function agentLogsCommand({ json = false, follow = false }: AgentLogsOptions, io: Io): Promise<number> {
  const print = ({ entries }: LogAnswer) => {
    for (const entry of entries) io.stdout.write(`${json ? jsonText(entry) : entryLine(entry, new Date())}\n`);
  };
  try {
    let answer = await agentLogs(0, io.env);
    print(answer);
    let seen = 0;
    while (follow) {
      seen = answer.entries.at(-1)?.id ?? seen;
      await sleep(pause);
      const { pid } = answer;
      answer = await agentLogs(seen, io.env);
      if (answer.pid !== pid) answer = await agentLogs(0, io.env);
      print(answer);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Problem && error.kind === 'agent-not-running')) throw error;
    const what = follow ? 'The agent has ended.' : 'No agent is running.';
    throw new Problem({ kind: 'agent-not-running', what }, { cause: error });
  }
}

function entryLine({ at, event, message, times }: LogEntry, now: Date): string {
  const moment = new Date(at);
  const time = `${clockTime(moment, now)}:${String(moment.getSeconds()).padStart(2, '0')}`;
  return `${time}  ${event.padEnd(11)}  ${message}${times > 1 ? ` (${times} times)` : ''}`;
}
