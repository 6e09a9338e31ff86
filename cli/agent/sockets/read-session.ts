import { badRequest } from '../problems.ts';
import type { NewSession } from '../protocol/messages.ts';
import { isIssuer } from '../session/access-token.ts';

/**
 * Reads the session that a login hands over.
 *
 * @throws Problem `bad-request`, which quotes nothing from the body
 */
export function readSession(body: Buffer): NewSession {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's message would quote the body, which holds secrets.
    throw badRequest('The body is not JSON.');
  }
  const { issuer, accessToken, dpopKey, email, key, expiresAt } = (value ?? {}) as Partial<NewSession>;
  if (typeof issuer !== 'string' || !isIssuer(issuer)) {
    throw badRequest('`issuer` is not an https URL (or http on localhost or 127.0.0.1).');
  }
  if (typeof accessToken !== 'string' || !/^[\w.~+/=-]{1,16384}$/.test(accessToken)) {
    throw badRequest('`accessToken` is not a token.');
  }
  if (typeof dpopKey !== 'object' || dpopKey === null) throw badRequest('`dpopKey` is not a key.');
  // STS takes 2 to 64 of these as the name of a role's session.
  if (typeof email !== 'string' || !/^[\w+=,.@-]{2,64}$/.test(email)) {
    throw badRequest('`email` is not an address that AWS STS takes as a session name.');
  }
  const model = key?.model ?? null;
  if (typeof key?.name !== 'string' || (model !== null && typeof model !== 'string')) {
    throw badRequest('`key` is not {name, model}.');
  }
  if (typeof expiresAt !== 'string' || Number.isNaN(Date.parse(expiresAt)))
    throw badRequest('`expiresAt` is not a time.');
  return { issuer, accessToken, dpopKey, email, key: { name: key.name, model }, expiresAt };
}
