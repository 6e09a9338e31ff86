import { browserSupportsWebAuthn } from '@simplewebauthn/browser';
import { type Explanation, explainUnsupported, type Purpose } from './explain.ts';

/** Why no key can be used on this page at all, or undefined when one can. */
export function unsupported(purpose: Purpose): Explanation | undefined {
  if (!isSecureContext) return explainUnsupported(false, purpose);
  return browserSupportsWebAuthn() ? undefined : explainUnsupported(true, purpose);
}

/** A tab in the background must not ask for a touch: it waits until it is looked at. */
export function whenLookedAt(): Promise<void> {
  if (document.visibilityState === 'visible') return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', function looked() {
      if (document.visibilityState !== 'visible') return;
      document.removeEventListener('visibilitychange', looked);
      resolve();
    });
  });
}
