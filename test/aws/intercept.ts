import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request that is about to be served. */
export interface Intercepted {
  service: 'sts' | 'codecommit';
  /** As in the log. */
  action: string;
  /** The parameters of an STS request. */
  form?: URLSearchParams;
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Sees a request before it is served. A test delays the request by waiting, or answers or cuts it itself and returns true; then
 * it is neither served nor logged.
 */
export type Intercept = (intercepted: Intercepted) => boolean | undefined | Promise<boolean | undefined>;
