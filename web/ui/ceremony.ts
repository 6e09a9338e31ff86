import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
} from '@simplewebauthn/browser';
import { call } from './problem.ts';

/** The browser or the key said no. How long it took tells a cancel from a time-out: the error's name is the same. */
export class CeremonyError extends Error {
  readonly reason: string;
  readonly elapsed: number;
  readonly timeout: number;

  constructor(cause: unknown, elapsed: number, timeout: number) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'CeremonyError';
    this.reason = reasonOf(cause);
    this.elapsed = elapsed;
    this.timeout = timeout;
  }
}

/** The DOMException's name. SimpleWebAuthn wraps it in an error of its own, and keeps the name. */
function reasonOf(cause: unknown): string {
  if (cause instanceof Error && cause.cause instanceof Error) return cause.cause.name;
  return cause instanceof Error ? cause.name : 'UnknownError';
}

/** Headers that go along with each call of a ceremony. */
type Headers = Record<string, string>;

/** What browsers wait by themselves when the server names no time. */
const usualTimeout = 60_000;

/** Asks the server at `base` for a challenge, the key for a signature, and the server what it makes of it. */
export function useKey<Answer>(base: string, onTouched: () => void, headers: Headers = {}): Promise<Answer> {
  return ceremony<PublicKeyCredentialRequestOptionsJSON, AuthenticationResponseJSON, Answer>(
    base,
    (optionsJSON) => startAuthentication({ optionsJSON }),
    onTouched,
    headers,
  );
}

/** The same, for a key that is new here. */
export function registerKey<Answer>(base: string, onTouched: () => void, headers: Headers = {}): Promise<Answer> {
  return ceremony<PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON, Answer>(
    base,
    (optionsJSON) => startRegistration({ optionsJSON }),
    onTouched,
    headers,
  );
}

/** Takes the browser's own dialog down. The ceremony under way ends with an AbortError. */
export function abandonCeremony(): void {
  WebAuthnAbortService.cancelCeremony();
}

async function ceremony<Options extends { timeout?: number }, Response, Answer>(
  base: string,
  touch: (options: Options) => Promise<Response>,
  onTouched: () => void,
  headers: Headers,
): Promise<Answer> {
  const options = await call<Options>('POST', `${base}/options`, undefined, headers);
  const started = performance.now();
  let response: Response;
  try {
    response = await touch(options);
  } catch (cause) {
    throw new CeremonyError(cause, performance.now() - started, options.timeout ?? usualTimeout);
  }
  onTouched();
  return call<Answer>('POST', `${base}/verify`, response, headers);
}
