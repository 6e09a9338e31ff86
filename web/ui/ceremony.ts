import {
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
} from '@simplewebauthn/browser';
import { call } from './call.ts';

/**
 * The browser or the key refused. Browsers report a cancel and a time-out under one name; `elapsed` tells them apart.
 * Times are in milliseconds.
 */
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

/** The DOMException's name. SimpleWebAuthn may wrap the exception in its own error. */
function reasonOf(cause: unknown): string {
  if (cause instanceof Error && cause.cause instanceof Error) return cause.cause.name;
  return cause instanceof Error ? cause.name : 'UnknownError';
}

/** A person needs longer than this to refuse, in milliseconds. */
const fastestPerson = 1_000;

/** Whether the browser refused by itself: nobody could have cancelled so soon. */
export function tooQuickForAPerson({ elapsed }: CeremonyError): boolean {
  return elapsed < fastestPerson;
}

/** Whether a ceremony that started by itself failed because the browser wants the person to start it. */
export function wantsGesture(error: unknown): boolean {
  return error instanceof CeremonyError && error.reason === 'NotAllowedError' && tooQuickForAPerson(error);
}

type HeaderFields = Record<string, string>;

/**
 * An authentication ceremony (WebAuthn, section 1.2): signs the server's challenge with an enrolled key.
 *
 * @param base the path above the ceremony's `options` and `verify`
 * @param onTouched called when the key has answered, before the server has
 * @param headers sent with both calls
 * @returns the server's answer to `verify`
 * @throws CeremonyError when the browser or the key refuses, and what `call` throws
 */
export function authenticate<Answer>(base: string, onTouched: () => void, headers?: HeaderFields): Promise<Answer> {
  const touch = (optionsJSON: PublicKeyCredentialRequestOptionsJSON) => startAuthentication({ optionsJSON });
  return ceremony(base, touch, onTouched, headers);
}

/** A registration ceremony: the same for a new key. @param more what `verify` is sent beside the key's answer */
export function register<Answer>(
  base: string,
  onTouched: () => void,
  headers?: HeaderFields,
  more: object = {},
): Promise<Answer> {
  const touch = async (optionsJSON: PublicKeyCredentialCreationOptionsJSON) => ({
    ...(await startRegistration({ optionsJSON })),
    ...more,
  });
  return ceremony(base, touch, onTouched, headers);
}

/** Closes the browser's own dialog. The pending ceremony fails with an AbortError. */
export function abandonCeremony(): void {
  WebAuthnAbortService.cancelCeremony();
}

/** How long browsers wait if the server sets no timeout, in milliseconds. */
const defaultTimeout = 60_000;

async function ceremony<Options extends { timeout?: number }, Answer>(
  base: string,
  touch: (options: Options) => Promise<unknown>,
  onTouched: () => void,
  headers?: HeaderFields,
): Promise<Answer> {
  const options = await call<Options>('POST', `${base}/options`, undefined, headers);
  const started = performance.now();
  let credential: unknown;
  try {
    credential = await touch(options);
  } catch (cause) {
    throw new CeremonyError(cause, performance.now() - started, options.timeout ?? defaultTimeout);
  }
  onTouched();
  return call<Answer>('POST', `${base}/verify`, credential, headers);
}
