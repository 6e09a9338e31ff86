import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request that is about to be served. */
export interface Intercepted {
  service: 'sts' | 'codecommit';
  /** As in the log. */
  action: string;
  /** What STS is asked. */
  form?: URLSearchParams;
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Looks at a request before it is served: a test makes it late by waiting, or answers (or cuts) it itself and returns
 * true, and then it is neither served nor logged.
 */
export type Intercept = (intercepted: Intercepted) => boolean | undefined | Promise<boolean | undefined>;
