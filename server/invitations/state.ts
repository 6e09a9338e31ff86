/** An open invitation can be used. */
export type InvitationState = 'open' | 'used' | 'revoked' | 'expired';

/** What has become of an invitation. */
export function invitationState(
  row: { used_at: number | null; revoked_at: number | null; expires_at: number },
  now: number,
): InvitationState {
  if (row.used_at !== null) return 'used';
  if (row.revoked_at !== null) return 'revoked';
  return row.expires_at <= now ? 'expired' : 'open';
}
