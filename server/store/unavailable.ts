/** The store cannot do now what was asked of it, and nothing of it was done: another program has locked it, or its disk is full or gone. */
export class StoreUnavailable extends Error {
  /** Seconds after which it may be worth another try. */
  readonly retryAfter: number;
  // What Koa, below oidc-provider, answers with.
  readonly statusCode = 503;
  readonly headers: Record<string, string>;

  constructor(message: string, retryAfter: number, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreUnavailable';
    this.retryAfter = retryAfter;
    this.headers = { 'Retry-After': String(retryAfter) };
  }
}
