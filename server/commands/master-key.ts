import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { readSigningInstallation } from '../config/config.ts';
import { readIssuer } from '../config/issuer.ts';
import { checkNames } from '../config/setting-names.ts';
import { readKmsArn } from '../kms/key-arn.ts';
import { Problem } from '../problem/problem.ts';
import { readKeyFile, readKeyText } from '../signing/master-key-file.ts';
import { count } from '../text/count.ts';
import { administer, printJson } from './administer.ts';
import { confirm } from './confirm.ts';

/** `vouch-server master-key`: the key that encrypts the secrets in the database. */
export function addMasterKey(program: Command): void {
  const group = program.command('master-key').description('the key that encrypts the signing keys in the database');

  group
    .command('rewrap')
    .description('change the master key: encrypt everything under a new one')
    .requiredOption(
      '--new-key-file <file>',
      'a file of mode 0400 or 0600 that holds the new key, or the new key wrapped',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
It takes the present key from the settings (VOUCH_MASTER_KEY or VOUCH_MASTER_KEY_FILE). Afterwards give all servers the new one, and restart
them one after the other; until then they go on with what they have in memory.
  (umask 077; openssl rand -base64 32 > /etc/vouch/master-key.new)
  vouch-server master-key rewrap --new-key-file /etc/vouch/master-key.new`,
    )
    .action(rewrapAll);

  group
    .command('wrap')
    .description('print a master key that only AWS KMS can open: a new one, or the one in a file')
    .requiredOption('--kms-key <arn>', 'the ARN of a symmetric key or an alias in AWS KMS')
    .option('--key-file <file>', 'a file of mode 0400 or 0600 that holds the key to wrap')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
What it prints is the value of VOUCH_MASTER_KEY, or what VOUCH_MASTER_KEY_FILE should hold, for the server that VOUCH_ISSUER names. A new key
is nowhere else. Without the KMS key it is lost.`,
    )
    .action(wrap);

  group
    .command('lost')
    .description('when the master key is lost for good: go on with another one, and with new signing keys')
    .option('--yes', 'do not ask first')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Look for it first, also beside your backups. The settings must have a new master key. Stop all servers before, and start them afterwards.
People and security keys stay. All sessions end, and AWS refuses tokens until it has read the new key set.`,
    )
    .action(lost);
}

async function lost({ yes, json = false }: { yes?: boolean; json?: boolean }): Promise<void> {
  const { masterKey } = await import('../signing/master-key.ts');
  const settings = readSigningInstallation(process.env);
  await administer(async ({ store, by }) => {
    const { giveUpKeys } = await import('../signing/rotation/give-up.ts');
    const master = await masterKey(settings.masterKey, settings.database, false);
    await confirm('Delete all signing keys, and end all sessions?', { yes });
    const { kids, sessions } = await store
      .transaction()
      .execute((transaction) => giveUpKeys(transaction, Date.now(), master, by));
    if (json) return printJson({ deleted: kids, sessionsEnded: sessions.length });
    const keys = count(kids.length, 'signing key');
    process.stdout.write(
      `Deleted ${keys}, which nobody can open, and ended ${count(sessions.length, 'session')}.\n` +
        'Start the server: it makes a new signing key. Checkpoints of the audit trail from before prove nothing any more: take a new one.\n',
    );
  });
}

async function rewrapAll({ newKeyFile, json = false }: { newKeyFile: string; json?: boolean }): Promise<void> {
  const { masterKey } = await import('../signing/master-key.ts');
  const { parseMasterKey } = await import('../signing/wrapped-master-key.ts');
  // Before the process may become another user, who may not read the files.
  const settings = readSigningInstallation(process.env);
  const text = readKeyText('--new-key-file', newKeyFile, process.env.CREDENTIALS_DIRECTORY);
  const configured = parseMasterKey(`The key in ${newKeyFile}`, text, settings.issuer);
  await administer(async ({ store, by }) => {
    const { rewrap } = await import('../signing/rotation/rewrap.ts');
    const from = await masterKey(settings.masterKey, settings.database, true);
    const to = await masterKey(configured, settings.database, true);
    const { keys, changed } = await store
      .transaction()
      .execute((transaction) => rewrap(transaction, Date.now(), { from, to }, by));
    if (json) return printJson({ keys, changed });
    const done = changed
      ? `Encrypted ${count(keys, 'signing key')} under the new master key.`
      : 'It was done before: the new master key is in use.';
    process.stdout.write(
      `${done}\n` +
        'Give all servers the new one now (VOUCH_MASTER_KEY or VOUCH_MASTER_KEY_FILE), and restart them one after the other.\n' +
        'Keep the old one for as long as you keep backups from before.\n',
    );
  });
}

async function wrap({
  kmsKey,
  keyFile,
  json = false,
}: {
  kmsKey: string;
  keyFile?: string;
  json?: boolean;
}): Promise<void> {
  checkNames(process.env);
  const issuer = readIssuer(process.env.VOUCH_ISSUER);
  const key = readKmsArn(kmsKey);
  if (key === undefined) {
    throw new Problem({
      kind: 'option-refused',
      what: `${JSON.stringify(kmsKey)} is not the full ARN of a KMS key.`,
      fix: 'It looks like arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0123-4567-89ab-0123456789ab.',
    });
  }
  const master = keyFile === undefined ? randomBytes(32) : readKeyFile('--key-file', keyFile);
  const { wrapMasterKey } = await import('../signing/wrapped-master-key.ts');
  const wrapped = await wrapMasterKey(master, key, issuer);
  if (json) printJson({ wrapped, kmsKey, isNew: keyFile === undefined });
  else process.stdout.write(`${wrapped}\n`);
}
