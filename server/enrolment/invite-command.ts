import type { Config } from '../config/config.ts';
import { normalizeEmail } from '../people/email.ts';
import { openForAdministration } from '../store/open-for-issuer.ts';
import { invite } from './invitations.ts';

/** `vouch-server invite`: prints the code, which is stored nowhere. */
export async function runInvite(
  config: Pick<Config, 'issuer' | 'database'>,
  options: { email: string; admin: boolean; json: boolean },
): Promise<void> {
  // Before anything is opened, so that a refused address leaves nothing behind.
  normalizeEmail(options.email);
  const store = await openForAdministration(config.database, config.issuer);
  try {
    const { email, code, expiresAt } = await invite(store, Date.now(), options);
    const until = new Date(expiresAt);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ email, code, expiresAt: until.toISOString(), database: config.database.name })}\n`,
      );
      return;
    }
    process.stdout.write(
      [
        `Invited ${email}${options.admin ? ' as an administrator' : ''}`,
        `  Invitation code   ${code}`,
        `  Good until        ${until.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' })}, for one key`,
        `  Database          ${config.database.name}`,
        'Send the code over a channel you trust. They run',
        `  vouch enroll --server ${config.issuer}`,
        '',
      ].join('\n'),
    );
  } finally {
    await store.destroy();
  }
}
