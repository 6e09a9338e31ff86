import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAbsolute } from 'node:path';
import { parseJson } from '../../text/parse-json.ts';
import { badRequest } from '../problems.ts';
import type { EndedLend, Lend, LendEnd, LendEnded, LendList, LendStarted, NewLend } from '../protocol/lends.ts';
import { sendJson } from './http-answer.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { withBody } from './request-body.ts';

/** The longest body, in bytes. */
const longestBody = 64 * 1024;

/** A week, in seconds. A lend ends with the session in any case. */
const longestLend = 7 * 24 * 3600;

/** What lends (lends/lends.ts). */
export interface Lender {
  start(asked: NewLend, onEnd: (ended: LendEnded) => void): Promise<Lend>;
  list(): Lend[];
  end(name: string, why?: LendEnd): EndedLend;
}

interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  memory: MemoryBudget;
}

/**
 * Answers a request about lends (protocol/lends.ts).
 *
 * @param asked the method and the path
 * @returns false for another request
 * @throws Problem `bad-request`, and as Lender's methods
 */
export async function askLends(
  lends: Lender,
  asked: string,
  { request, response, query, memory }: Asked,
): Promise<boolean> {
  switch (asked) {
    case 'GET /lends': {
      const answer: LendList = { lends: lends.list() };
      sendJson(response, answer);
      return true;
    }
    case 'DELETE /lends': {
      sendJson(response, lends.end(readName(query.get('name'))));
      return true;
    }
    case 'POST /lends': {
      const newLend = await withBody(request, memory, longestBody, async (body) => readNewLend(body));
      await start(lends, newLend, response);
      return true;
    }
  }
  return false;
}

async function start(lends: Lender, asked: NewLend, response: ServerResponse): Promise<void> {
  const write = (line: LendStarted | LendEnded) => response.write(`${JSON.stringify(line)}\n`);
  const lend = await lends.start(asked, (ended) => {
    // Before its first line there is no lend yet; the Problem says why.
    if (!asked.tied || !response.headersSent || response.writableEnded) return;
    write(ended);
    response.end();
  });
  const { socket } = response;
  // AWS was asked meanwhile. Whoever has given up must not have lent anything without knowing.
  if (socket === null || socket.destroyed) {
    lends.end(lend.name, 'closed');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  write({ lend });
  if (!asked.tied) {
    response.end();
    return;
  }
  // It stays open as long as the lend, and nothing moves on it.
  socket?.setTimeout(0);
  response.once('close', () => {
    if (!response.writableEnded) lends.end(lend.name, 'closed');
  });
}

function readName(name: unknown): string {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) {
    throw badRequest('`name` is not 1 to 40 small letters, digits and hyphens, with no hyphen first.');
  }
  return name;
}

function readNewLend(body: Buffer): NewLend {
  const given = Object(parseJson(body.toString('utf8'))) as Record<string, unknown>;
  const { name, awsProfile, config, seconds, pullOnly, aws, tied } = given;
  if (awsProfile !== undefined && typeof awsProfile !== 'string') throw badRequest('`awsProfile` is not text.');
  if (config !== undefined && (typeof config !== 'string' || !isAbsolute(config) || config.includes('\0'))) {
    throw badRequest('`config` is not an absolute path.');
  }
  if (!Number.isSafeInteger(seconds) || Number(seconds) < 1 || Number(seconds) > longestLend) {
    throw badRequest(`\`seconds\` is not a number from 1 to ${longestLend}.`);
  }
  if (![pullOnly, aws, tied].every((flag) => typeof flag === 'boolean')) {
    throw badRequest('`pullOnly`, `aws` and `tied` are not all true or false.');
  }
  return {
    name: name === undefined ? undefined : readName(name),
    profiles: texts(given, 'profiles', 20),
    awsProfile: awsProfile as string | undefined,
    config: config as string | undefined,
    repos: texts(given, 'repos', 100),
    branches: texts(given, 'branches', 100),
    seconds: Number(seconds),
    pullOnly: pullOnly === true,
    aws: aws === true,
    tied: tied === true,
  };
}

function texts(given: Record<string, unknown>, name: string, most: number): string[] {
  const value = given[name];
  const isText = (one: unknown): one is string => typeof one === 'string' && one !== '' && one.length <= 512;
  if (Array.isArray(value) && value.length <= most && value.every(isText)) return value;
  throw badRequest(`\`${name}\` is not a list of at most ${most} texts.`);
}
