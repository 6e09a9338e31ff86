import { browserSupportsWebAuthn } from '@simplewebauthn/browser';

/** No key can work on this page. */
export class UnsupportedError extends Error {
  readonly lacks: 'https' | 'webauthn';

  constructor(lacks: 'https' | 'webauthn') {
    super(`This page has no ${lacks}`);
    this.name = 'UnsupportedError';
    this.lacks = lacks;
  }
}

/** @throws UnsupportedError when the browser has no WebAuthn, or hides it from a page without HTTPS */
export function requireWebAuthn(): void {
  if (!isSecureContext) throw new UnsupportedError('https');
  if (!browserSupportsWebAuthn()) throw new UnsupportedError('webauthn');
}
