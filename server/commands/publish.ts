import type { Command } from 'commander';
import { readSigningInstallation } from '../config/config.ts';
import { Problem } from '../problem/problem.ts';
import { arePublishedElsewhere, type PublishedKey, publicDocuments } from '../public-documents/documents.ts';
import type { Look } from '../public-documents/look.ts';
import { statesText } from '../public-documents/states-text.ts';
import type { Store } from '../store/store.ts';
import { count } from '../text/count.ts';
import { durationText } from '../text/duration.ts';
import { isoTime } from '../text/iso-time.ts';
import { administer, printJson } from './administer.ts';

interface PublishOptions {
  check?: boolean;
  json?: boolean;
}

/** Read these before the process may become another user, who may not read the key's file. */
type Settings = ReturnType<typeof readSigningInstallation>;

/** `vouch-server publish` */
export function addPublish(program: Command): void {
  program
    .command('publish')
    .description('write the two documents that AWS reads, for a static host, or check what AWS reads there')
    .argument('[folder]', 'where to write them; it is made if it is not there')
    .option('--check', 'read the public documents as AWS does, and compare them with the keys')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
For a server that AWS cannot reach: VOUCH_AWS_ISSUER is the address of the static host. The server may run meanwhile or be down. It takes
the server's master key (VOUCH_MASTER_KEY or VOUCH_MASTER_KEY_FILE), which proves that the keys are the server's. With --check it ends
with 1 if AWS could not use all of them.

  vouch-server publish /srv/public
  aws s3 sync /srv/public s3://BUCKET --content-type application/json \\
    --cache-control 'public, max-age=300'
  vouch-server publish --check`,
    )
    .action(async (folder: string | undefined, { check = false, json = false }: PublishOptions) => {
      if (check === (folder !== undefined)) {
        throw new Problem({
          kind: 'option-refused',
          what: check ? 'Either a folder is written, or the public documents are checked.' : 'No folder was named.',
          fix: 'Give a folder, or --check.',
        });
      }
      const settings = readSigningInstallation(process.env);
      const print = folder === undefined ? checkDocuments : writeInto(folder);
      await administer(async ({ store }) => print(settings, store, json));
    });
}

async function keysOf(store: Store, { masterKey: configured, database }: Settings): Promise<PublishedKey[]> {
  const { readPublishedKeys } = await import('../public-documents/published-keys.ts');
  const { masterKey } = await import('../signing/master-key.ts');
  return readPublishedKeys(store, await masterKey(configured, database, true));
}

type Print = (settings: Settings, store: Store, json: boolean) => Promise<void>;

const writeInto =
  (folder: string): Print =>
  async (settings, store, json) => {
    if (!arePublishedElsewhere(settings)) {
      throw new Problem({
        kind: 'setting-refused',
        what: 'VOUCH_AWS_ISSUER is not set, so AWS reads the documents from the server itself.',
        fix: 'Set it to the URL of the static host, for the server too; or publish nothing.',
      });
    }
    const { awsIssuerOf } = await import('../public-documents/aws-issuer.ts');
    const { writeDocuments } = await import('../public-documents/write-documents.ts');
    const before = await awsIssuerOf(store);
    if (before !== null && before !== settings.awsIssuer) {
      process.stderr.write(
        `vouch-server: The server last ran with another issuer for AWS, ${before}. Its tokens name that one.\n`,
      );
    }
    const keys = await keysOf(store, settings);
    const documents = publicDocuments(settings, keys);
    const changed = await writeDocuments(folder, documents);
    const named = keys.map(({ kid, state }) => ({ kid, state }));
    if (json) {
      printJson({ issuer: settings.awsIssuer, files: documents.map(({ path }) => path), changed, keys: named });
      return;
    }
    const lines = [
      `${changed.length === 0 ? 'Up to date' : 'Written'}: the documents of ${settings.awsIssuer}, with ${keysText(keys)}`,
      ...changed.map((file) => `  ${file}`),
      `Upload the folder, so that they are at ${settings.awsIssuer}/.well-known/, then run`,
      '  vouch-server publish --check',
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  };

const checkDocuments: Print = async (settings, store, json) => {
  const keys = await keysOf(store, settings);
  const { lookFromOutside } = await import('../public-documents/look.ts');
  const { remedy, troubleText } = await import('../public-documents/trouble-text.ts');
  const look = await lookFromOutside(settings, keys, Date.now());
  if (json) printJson(asJson(look, keys));
  else if (look.troubles.length > 0) process.stdout.write(look.troubles.map((one) => `${troubleText(one)}\n`).join(''));
  if (look.troubles.length > 0) {
    throw new Problem({
      kind: 'documents-differ',
      what: `AWS cannot use ${look.issuer} as it should: ${count(look.troubles.length, 'fault')}.`,
      fix: remedy(look, arePublishedElsewhere(settings)),
    });
  }
  if (json) return;
  const kept =
    look.freshness === undefined ? '' : `, and others may keep them for ${durationText(look.freshness.maxAge)}`;
  process.stdout.write(`AWS can use ${look.issuer}: it has ${keysText(keys)}${kept}\n`);
};

function asJson(look: Look, keys: readonly PublishedKey[]) {
  return {
    issuer: look.issuer,
    at: isoTime(look.at),
    usable: look.troubles.length === 0,
    keys: keys.map(({ kid, state }) => ({ kid, state, shown: look.shown.includes(kid) })),
    maxAge: look.freshness?.maxAge ?? null,
    age: look.freshness?.age ?? null,
    troubles: look.troubles,
  };
}

/** Such as "2 keys (1 current, 1 next)". */
function keysText(keys: readonly PublishedKey[]): string {
  return `${count(keys.length, 'key')} (${statesText(keys, ['current', 'next', 'previous'])})`;
}
