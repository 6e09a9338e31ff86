import type { IncomingMessage } from 'node:http';
import { parseJson } from '../../text/parse-json.ts';
import type { Agent } from '../agent.ts';
import { badRequest } from '../problems.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { withBody } from './request-body.ts';

/** The longest body, in bytes: as much as the server reads. */
const longestBody = 4 * 1024;

/** The longest name that is passed on, in characters. The server takes shorter ones, and says so. */
const longestName = 200;

/**
 * What the person has at the server (protocol/account.ts), for any program of the user. So whatever could be used to take an account
 * over is not here: a key is added in the browser, with a touch. Removing one takes a touch too, which the server checks.
 *
 * @param asked the method and the path
 * @returns the answer's JSON, null if it has none; undefined for another request
 * @throws Problem `bad-request`, and as Agent.account
 */
export async function askAccount(
  agent: Agent,
  asked: string,
  { request, query, memory }: { request: IncomingMessage; query: URLSearchParams; memory: MemoryBudget },
): Promise<object | null | undefined> {
  switch (asked) {
    case 'GET /account/keys':
      return agent.account((account) => account.keys());
    case 'PATCH /account/keys': {
      const id = readId(query);
      const name = await withBody(request, memory, longestBody, async (body) => readName(body));
      await agent.account((account) => account.renameKey(id, name));
      return null;
    }
    case 'DELETE /account/keys': {
      const id = readId(query);
      return agent.account((account) => account.removeKey(id));
    }
    case 'GET /account/sessions':
      return agent.account((account) => account.sessions());
    case 'DELETE /account/sessions': {
      const id = readId(query);
      return agent.account((account) => account.endSession(id));
    }
    case 'DELETE /account/other-sessions':
      return agent.account((account) => account.endOtherSessions());
    case 'POST /account/not-me':
      return agent.account((account) => account.reportNotMe());
  }
  return undefined;
}

/** A key's ID is base64url of 1 to 1023 bytes (WebAuthn, section 4), a session's is a UUID. */
function readId(query: URLSearchParams): string {
  const id = query.get('id') ?? '';
  if (!/^[\w-]{1,1364}$/.test(id)) throw badRequest('`id` is not the ID of a key or of a session.');
  return id;
}

function readName(body: Buffer): string {
  const { name } = Object(parseJson(body.toString('utf8'))) as Record<string, unknown>;
  if (typeof name !== 'string' || name === '' || name.length > longestName) throw badRequest('`name` is not a name.');
  return name;
}
