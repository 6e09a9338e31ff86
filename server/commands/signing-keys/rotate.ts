import type { Command } from 'commander';
import { readSigningInstallation } from '../../config/config.ts';
import { arePublishedElsewhere } from '../../public-documents/documents.ts';
import { SHORT_KID } from '../../signing/find-key.ts';
import { isoTime } from '../../text/iso-time.ts';
import { clockTime } from '../../text/time.ts';
import { administer, printJson } from '../administer.ts';
import { withKeyRing } from '../key-ring.ts';

/** `vouch-server signing-keys rotate` */
export function addRotate(keys: Command): void {
  keys
    .command('rotate')
    .description('publish the next key now, which signs 6 minutes later; or let the one that is published sign sooner')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Nobody notices: what the key before has signed stays good until its end. It needs the server's master key. A running server lets the
next key sign when it has published it for 6 minutes. If a key is in wrong hands: vouch-server signing-keys revoke KID`,
    )
    .action(rotate);
}

async function rotate({ json = false }: { json?: boolean }): Promise<void> {
  const settings = readSigningInstallation(process.env);
  await administer(async (administration) => {
    const { rotateSoon } = await import('../../signing/rotation/rotate-soon.ts');
    const { store, by, installation } = administration;
    const now = Date.now();
    const { next, current, signsFrom, made } = await withKeyRing(administration, settings, (keys) =>
      rotateSoon(store, keys, now, by),
    );
    if (json) {
      printJson({ next, signsFrom: isoTime(signsFrom), current, made });
      return;
    }
    const [soon, before] = [next.slice(0, SHORT_KID), current.slice(0, SHORT_KID)];
    const lines = [
      made ? `Published a new signing key, ${soon}.` : `The next signing key, ${soon}, was published already.`,
      signsFrom <= now
        ? `It signs as soon as a server has published it for 6 minutes. Until then ${before} signs.`
        : `It signs from ${clockTime(signsFrom, now)} on, in place of ${before}. What ${before} has signed stays good.`,
      ...(!arePublishedElsewhere(installation)
        ? []
        : [`It needs to be at ${installation.awsIssuer} before it signs: vouch-server publish DIR`]),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  });
}
