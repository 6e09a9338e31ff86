import type { Request } from 'express';
import type { RequestSource } from './audit.ts';

declare global {
  namespace Express {
    interface Request {
      /** Our own name for the request: in its answer (`X-Request-Id`), its line in the log, and its rows in the audit trail. */
      id: string;
    }
  }
}

/** Where a request came from, for the audit trail. */
export function sourceOf(request: Request): RequestSource {
  return { ip: String(request.ip), requestId: request.id };
}
