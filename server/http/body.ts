import { Problem } from '../problem/problem.ts';
import { isReadable } from '../text/readable-text.ts';

/** The body as a JSON object. @throws Problem `bad-request` when it is not one */
export function objectBody(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw badRequest('The body is not a JSON object');
}

/**
 * A text field of a body.
 *
 * @param length the most characters that it may have
 * @throws Problem `bad-request` when it is missing, not text, empty or too long, or when part of it cannot be seen
 */
export function textField(body: Record<string, unknown>, name: string, length: number): string {
  const value = body[name];
  const text = typeof value === 'string' ? value.trim() : '';
  if (typeof value !== 'string' || value.length > length || !isReadable(text)) {
    throw badRequest(`${name} should be text of 1 to ${length} characters that can be seen`);
  }
  return text;
}

/** A text field that may be missing or null. */
export function optionalTextField(body: Record<string, unknown>, name: string, length: number): string | null {
  return body[name] === undefined || body[name] === null ? null : textField(body, name, length);
}

/**
 * A WebAuthn credential as the browser sends it. This checks its outer form; the verifier checks the rest.
 *
 * @throws Problem `bad-request`
 */
export function credentialBody<Credential>(body: unknown): Credential {
  const { id, rawId, type, response } = objectBody(body);
  const fits = typeof id === 'string' && id.length <= 1400 && id === rawId && type === 'public-key';
  if (!fits || typeof response !== 'object' || response === null) {
    throw badRequest('The body is not a public key credential');
  }
  return body as Credential;
}

export function badRequest(what: string): Problem {
  return new Problem({ kind: 'bad-request', what, fix: 'Reload the page and try again.' });
}
