import type { Request } from 'express';
import { badRequest, objectBody, optionalTextField, textField } from '../http/body.ts';

/** The most characters in a key's name. */
const LONGEST_NAME = 40;

/** The ID in a path: a credential's has at most 1023 bytes (WebAuthn, section 4, "Credential ID"). */
export function idParameter(request: Request): string {
  const { id } = request.params;
  if (typeof id !== 'string' || id.length > 1400) throw badRequest('This is not an ID');
  return id;
}

/** A key's new name, in a body `{name}`. */
export function newName(body: unknown): string {
  return textField(objectBody(body), 'name', LONGEST_NAME);
}

/** The same if the body has one. */
export function nameOrNot(body: unknown): string | null {
  return optionalTextField(objectBody(body), 'name', LONGEST_NAME);
}
