import { resolve } from 'node:path';
import { normalizeEmail } from '../people/email.ts';
import { type Installation, openForAdministration } from '../store/installation.ts';
import { invite } from './invitations.ts';

/** `vouch-server invite`: prints the code, once; it is stored nowhere. */
export async function runInvite(
  config: Installation,
  options: { email: string; admin: boolean; json: boolean },
): Promise<void> {
  // First of all, so that a refused address leaves nothing behind.
  normalizeEmail(options.email);
  const database = resolve(config.sqliteFile);
  const store = await openForAdministration(config);
  try {
    const { email, code, expiresAt } = await invite(store, Date.now(), options);
    const until = new Date(expiresAt);
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ email, code, expiresAt: until.toISOString(), database })}\n`);
      return;
    }
    process.stdout.write(
      [
        `Invited ${email}${options.admin ? ' as an administrator' : ''}`,
        `  Invitation code   ${code}`,
        `  Good until        ${until.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'short' })}, for one key`,
        `  Database          ${database}`,
        'Send the code over a channel you trust. They run',
        `  vouch enroll --server ${config.issuer}`,
        '',
      ].join('\n'),
    );
  } finally {
    await store.destroy();
  }
}
