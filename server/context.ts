import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import type { KeyPolicy } from './key-policy/judge.ts';
import type { KeyRing } from './signing/key-ring.ts';
import type { Store } from './store/store.ts';

/** Passed to every feature: settings, store, log, signing keys and clock. They stay the same between requests. */
export interface Context {
  config: Config;
  store: Store;
  log: Logger;
  /** The issuer's keys at this moment. */
  keys: KeyRing;
  /** Which keys count at this moment. Call it at the moment of use. */
  keyPolicy: () => KeyPolicy;
  /** Milliseconds since the epoch. Call it at the moment of use. */
  now: () => number;
}
