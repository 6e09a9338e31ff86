import type { KmsFailure, KmsReason } from '../kms/failure.ts';
import { Problem } from '../problem/problem.ts';

/**
 * What a failed call of KMS means for the administrator who named the key.
 *
 * @param setting what names the key
 * @param actions what the server must be allowed to do with it
 */
export function kmsRefused(failure: KmsFailure, setting: string, actions: readonly string[]): Problem {
  const { key, message, passing } = failure;
  return new Problem({
    kind: passing ? 'kms-unreachable' : 'kms-refused',
    what: passing
      ? `AWS KMS does not answer about the key ${key} (${setting}).`
      : `The KMS key ${key} (${setting}) cannot be used.`,
    why: `${message}.`,
    fix: fixOf(failure.reason, actions),
    cause: failure,
  });
}

function fixOf(reason: KmsReason, actions: readonly string[]): string {
  switch (reason) {
    case 'denied':
      return `Allow the server's role ${actions.join(' and ')} on this key.`;
    case 'disabled':
      return 'Enable the key, or name another one.';
    case 'unusable':
      return 'Cancel its deletion, or name another key.';
    case 'missing':
      return 'Check the ARN: region, account and key.';
    case 'wrong-key':
      return 'Name a key that is for this.';
    case 'wrong-ciphertext':
      return 'Wrap the master key again: it was wrapped with another key or for another issuer, or the text has changed.';
    case 'credentials':
      return 'Give the server credentials of AWS, by a role of its machine or task.';
    case 'refused':
      return 'See what AWS says.';
    case 'throttled':
    case 'busy':
    case 'unreachable':
    case 'broken':
      return 'Check the network, the proxy (HTTPS_PROXY) and AWS, then try again.';
  }
}
