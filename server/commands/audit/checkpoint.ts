import type { Command } from 'commander';
import { readSigningInstallation } from '../../config/config.ts';
import { isoTime } from '../../text/iso-time.ts';
import { administer, printJson } from '../administer.ts';
import { withKeyRing } from '../key-ring.ts';

/** `vouch-server audit checkpoint` */
export function addCheckpoint(audit: Command): void {
  audit
    .command('checkpoint')
    .description("print the audit trail's last row, signed by the server: keep it where nobody can change it")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
It needs the server's master key (VOUCH_MASTER_KEY or VOUCH_MASTER_KEY_FILE). For example, once a day:
  vouch-server audit checkpoint > /mnt/elsewhere/vouch-$(date +%F).checkpoint
  vouch-server audit verify \\
    --checkpoint /mnt/elsewhere/vouch-2026-11-26.checkpoint`,
    )
    .action(checkpoint);
}

async function checkpoint({ json = false }: { json?: boolean }): Promise<void> {
  const settings = readSigningInstallation(process.env);
  await administer(async (administration) => {
    const { currentHead, signCheckpoint } = await import('../../audit/checkpoint.ts');
    const now = Date.now();
    const head = await currentHead(administration.store);
    const { kid, signed } = await withKeyRing(administration, settings, async (keys) => {
      const signingKey = keys.current();
      const signed = await signCheckpoint({ issuer: settings.issuer, signingKey }, head, now);
      return { kid: signingKey.kid, signed };
    });
    const { id, hash, at } = head;
    if (json) {
      printJson({ id, hash, at: isoTime(at), issuedAt: isoTime(now), kid, checkpoint: signed });
      return;
    }
    process.stdout.write(`${signed}\n`);
  });
}
