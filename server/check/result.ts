import { Problem } from '../problem/problem.ts';
import { forLog } from '../text/readable-text.ts';

/** How long before its end a certificate is worth a warning, in milliseconds. */
export const CERTIFICATE_SOON_MS = 14 * 24 * 3600_000;

/** The names of the checks, for scripts. A name never changes; later versions may add names. */
export type CheckId = 'settings' | 'database' | 'issuer' | 'signing-keys' | 'clock' | 'public-documents' | 'proxy';

/** Something that a check has found and the administrator should know. */
export interface Finding {
  /** `<check>.<what>`, for scripts: it never changes. */
  id: `${CheckId}.${string}`;
  /** A finding that is `failed` fails its check; a warning does not. */
  severity: 'warning' | 'failed';
  /** What is wrong, a sentence. */
  what: string;
  why?: string | undefined;
  fix?: string | undefined;
}

/** What a check found. */
export interface Outcome {
  /** The rest of its line: what was found, in a few words. */
  says: string;
  findings?: readonly Finding[];
  /** What was found, for programs; no secrets. */
  data?: Record<string, unknown>;
}

/** A check's result. */
export interface Result {
  check: CheckId;
  /** `not-tried`: another one has failed that it depends on. */
  status: 'ok' | 'warning' | 'failed' | 'not-tried';
  says: string;
  findings: readonly Finding[];
  data: Record<string, unknown>;
}

/** The result of what was found. */
export function resultOf(check: CheckId, { says, findings = [], data = {} }: Outcome): Result {
  const failed = findings.some(({ severity }) => severity === 'failed');
  return { check, status: failed ? 'failed' : findings.length > 0 ? 'warning' : 'ok', says, findings, data };
}

/** The result of a check that depends on another one. @param waitsFor the one that failed */
export function notTried(check: CheckId, waitsFor: CheckId): Result {
  return { check, status: 'not-tried', says: `not tried: needs ${waitsFor}`, findings: [], data: { waitsFor } };
}

/** A Problem, or any other error, as a finding that fails its check. */
export function asFinding(id: Finding['id'], error: unknown): Finding {
  if (!(error instanceof Problem)) {
    return { id, severity: 'failed', what: forLog(error instanceof Error ? error.message : String(error)) };
  }
  const { what, why, fix } = error;
  return { id, severity: 'failed', what, why, fix: fix || undefined };
}
