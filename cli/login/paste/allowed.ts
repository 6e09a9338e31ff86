import type * as client from 'openid-client';
import { printable } from '../../text/printable.ts';

/** What a server says about signing in by paste (docs/http-api.md): an older one says nothing, and does not allow it. */
export function pasteAllowed(config: client.Configuration): { allowed: boolean; contact: string | undefined } {
  const { allowed, contact } = Object(config.serverMetadata().vouch_paste) as Record<string, unknown>;
  return { allowed: allowed === true, contact: typeof contact === 'string' ? printable(contact, 200) : undefined };
}
