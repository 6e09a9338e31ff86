/** The store could do nothing of what was asked: another program has locked it, or its disk is full or gone. */
export class StoreUnavailable extends Error {
  /** Seconds after which another try may be worth it. */
  readonly retryAfter: number;
  // Koa, below oidc-provider, answers with these two.
  readonly statusCode = 503;
  headers: Record<string, string>;

  constructor(message: string, retryAfter: number, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreUnavailable';
    this.retryAfter = retryAfter;
    this.headers = { 'Retry-After': String(retryAfter) };
  }
}
