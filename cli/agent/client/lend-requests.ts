import { Problem } from '../../problem/problem.ts';
import { checkRuntimeFolder } from '../../runtime-folder/check-folder.ts';
import { checkSocketPath } from '../../runtime-folder/check-socket.ts';
import { agentSocket, runtimeFolder } from '../../runtime-folder/runtime-folder.ts';
import { parseJson } from '../../text/parse-json.ts';
import type { EndedLend, LendEnded, LendList, LendStarted, NewLend } from '../protocol/lends.ts';
import { protocolVersion } from '../protocol/messages.ts';
import { askAgent } from './ask-agent.ts';
import { readAnswer } from './http-exchange.ts';
import { hung, notRunning, silent } from './problems.ts';

/** The requests to the agent about lends (protocol/lends.ts). */

/** How long the agent may take to open a lend, in milliseconds. It asks the server and AWS, once each. */
const openTimeout = 20_000;

/** More than the longest line of an answer, in characters. */
const longestLine = 256 * 1024;

/** A lend whose connection is open. */
export interface TiedLend extends LendStarted {
  /** Settles when it is over. If the agent is gone, so is the lend. */
  ended: Promise<LendEnded>;
  /** Ends it, by closing the connection. */
  close(): void;
}

/** The lends that are open, the oldest first. Throws as `askAgent`. */
export async function listLends(env: NodeJS.ProcessEnv): Promise<LendList> {
  return JSON.parse(await askAgent(env, 'GET /lends')) as LendList;
}

/** Ends a lend. @throws Problem `lend-unknown`; as `askAgent` */
export async function endLend(name: string, env: NodeJS.ProcessEnv): Promise<EndedLend> {
  return JSON.parse(await askAgent(env, `DELETE /lends?${new URLSearchParams({ name })}`)) as EndedLend;
}

/**
 * Opens a lend. With `tied`, it lives as long as the connection, and so no longer than this process.
 *
 * @throws Problem the agent's own; `agent-not-running`, `agent-hung`, `agent-silent`; as checkRuntimeFolder and checkSocketPath
 */
export function startLend(asked: NewLend, env: NodeJS.ProcessEnv): Promise<TiedLend> {
  const folder = runtimeFolder(env);
  const at = agentSocket(env, folder);
  checkSocketPath(at);
  checkRuntimeFolder(folder);
  return new Promise((resolve, reject) => {
    const socket = process.getBuiltinModule('node:net').connect(at);
    const { promise: ended, resolve: end } = Promise.withResolvers<LendEnded>();
    const timer = setTimeout(() => fail(hung(openTimeout)), openTimeout);
    let received = Buffer.alloc(0);
    let isOpen = false;
    let last: LendEnded = { ended: 'agent', awsUntil: null };
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const opened = (started: LendStarted) => {
      clearTimeout(timer);
      isOpen = true;
      resolve({ ...started, ended, close: () => socket.destroy() });
    };
    const onLine = (line: string) => {
      const said = parseJson(line) as Partial<LendStarted & LendEnded> | undefined;
      if (said?.lend && !isOpen) opened({ lend: said.lend });
      else if (said?.ended && isOpen) last = { ended: said.ended, awsUntil: said.awsUntil ?? null };
    };
    const read = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length > longestLine) return fail(silent('Its answer is too long.'));
      if (!isOpen) {
        const head = received.indexOf('\r\n\r\n');
        if (head === -1) return;
        if (!/^HTTP\/1\.[01] 200 /.test(received.toString('latin1', 0, 16))) return refused(false);
        received = received.subarray(head + 4);
      }
      const lines = received.toString('utf8').split('\n');
      received = Buffer.from(lines.pop() ?? '');
      lines.forEach(onLine);
    };
    const refused = (isWhole: boolean) => {
      try {
        const answer = readAnswer(received, isWhole);
        if (answer === undefined) return;
        fail(Problem.fromJSON(parseJson(answer.text)) ?? silent(`It answered with status ${answer.status}.`));
      } catch (error) {
        fail(silent((error as Error).message));
      }
    };
    socket.on('data', read);
    socket.on('end', () => {
      if (!isOpen) refused(true);
    });
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (isOpen) return;
      const none = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR';
      fail(none ? notRunning() : silent(message));
    });
    socket.on('close', () => {
      if (!isOpen) fail(silent('The connection ended before the answer did.'));
      end(last);
    });
    const body = Buffer.from(JSON.stringify(asked));
    const head = `POST /lends HTTP/1.0\r\nVouch-Protocol: ${protocolVersion}\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), body]));
  });
}
