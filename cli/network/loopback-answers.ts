import { createHash, timingSafeEqual } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** What each answer of our listeners on 127.0.0.1 says: nothing may keep it, frame it, run anything in it or learn its address. */
export const safeHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  connection: 'close',
};

/** Answers with one sentence for whoever sees it in a browser. */
export function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { ...safeHeaders, 'content-type': 'text/plain; charset=utf-8' }).end(`${sentence}\n`);
}

/** Compares what a client sent with a secret, in constant time whatever their lengths. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(a), digest(b));
}
