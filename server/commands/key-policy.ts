import type { Command } from 'commander';
import { readKeySettings } from '../config/key-settings.ts';
import type { Metadata } from '../fido-metadata/metadata.ts';
import type { MetadataSource } from '../fido-metadata/source.ts';
import type { KeyRefusal } from '../key-policy/judge.ts';
import type { AffectedPerson, Lockouts } from '../key-policy/lockouts.ts';
import { Problem } from '../problem/problem.ts';
import type { Store } from '../store/store.ts';
import { count } from '../text/count.ts';
import { forLog } from '../text/readable-text.ts';
import { administer, printJson } from './administer.ts';

/** `vouch-server keys policy`: what the settings for keys would do. */
export function addKeyPolicy(keys: Command): void {
  keys
    .command('policy')
    .description('the settings that say which keys count')
    .command('test')
    .description('say whose keys the settings in the environment would refuse, and whom they would lock out')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
It changes no keys. Give it the server's settings with the change that you have in mind:
  VOUCH_ALLOWED_AAGUIDS=yubikey-5 vouch-server keys policy test
The exit code is 1 if somebody would be locked out.`,
    )
    .action(test);
}

async function test({ json }: { json?: boolean }): Promise<void> {
  const { keyRules, fidoMetadata } = readKeySettings(process.env);
  const { findLockouts } = await import('../key-policy/lockouts.ts');
  await administer(async ({ store }) => {
    const metadata = fidoMetadata && (await readMetadata(fidoMetadata, store));
    const lockouts = await findLockouts(store, { ...keyRules, metadata }, Date.now());
    if (json) printJson({ fidoMetadata: metadata?.number ?? null, ...jsonOf(lockouts) });
    else process.stdout.write(textOf(lockouts, metadata?.number));
    const lockedOut = lockouts.affected.filter(isLockedOut).length;
    if (lockedOut === 0) return;
    throw new Problem({
      kind: 'policy-refused',
      what: `${count(lockedOut, 'person', 'people')} of ${lockouts.people} would be locked out.`,
      fix: 'Let them enrol a key that counts before you make this change.',
    });
  });
}

/** What reads it is loaded here: few servers have it, and it takes longer to load than the rest to run. */
async function readMetadata(source: MetadataSource, store: Store): Promise<Metadata | undefined> {
  const { LatestMetadata } = await import('../fido-metadata/latest-metadata.ts');
  const { pino } = await import('pino');
  // Its warnings say when an edition could not be used.
  const log = pino({ level: 'warn', base: undefined }, process.stderr);
  return (await LatestMetadata.open(source, { store, log, now: Date.now })).current;
}

const isLockedOut = ({ left }: AffectedPerson) => left === 0;

function jsonOf({ people, keys, affected }: Lockouts) {
  return {
    people,
    keys,
    refusedKeys: affected.reduce((sum, { refused }) => sum + refused.length, 0),
    lockedOut: affected.filter(isLockedOut).map(({ email }) => email),
    affected: affected.map((person) => ({
      email: person.email,
      role: person.role,
      lockedOut: isLockedOut(person),
      keysLeft: person.left,
      refused: person.refused.map(({ id, name, model, refusal: { kind, ...more } }) => ({
        id,
        name,
        model,
        reason: kind,
        ...more,
      })),
    })),
  };
}

function textOf({ people, keys, affected }: Lockouts, edition: number | undefined): string {
  const groups: [string, AffectedPerson[]][] = [
    ['Locked out:', affected.filter(isLockedOut)],
    ['Without a key, but with another one left:', affected.filter((person) => !isLockedOut(person))],
  ];
  const lines = groups.flatMap(([heading, group]) =>
    group.length === 0 ? [] : [heading, ...group.flatMap(personText)],
  );
  const all = `${count(keys, 'key')} of ${count(people, 'person', 'people')}`;
  const judgedBy = edition === undefined ? [] : [`Judged by edition ${edition} of FIDO's metadata.`];
  return `${[...(lines.length === 0 ? [keys === 0 ? 'Nobody has a key yet.' : `All ${all} would count.`] : lines), ...judgedBy].join('\n')}\n`;
}

function personText({ email, role, refused }: AffectedPerson): string[] {
  return [
    `  ${email}${role === 'owner' ? ' (owner)' : ''}`,
    ...refused.map((key) => {
      const { name, model, refusal } = key;
      return forLog(`    "${name}", ${model ?? 'an unknown model'}: ${reasonText(refusal)}`);
    }),
  ];
}

function reasonText(refusal: KeyRefusal): string {
  switch (refusal.kind) {
    case 'model-not-allowed':
      return 'this model is not allowed';
    case 'model-compromised':
      return `FIDO warns of this model (${refusal.compromise})`;
    case 'not-proven':
      return 'it has not proved its model: enrol it again';
    case 'model-unknown':
      return 'the metadata does not know this model';
    case 'chain-untrusted':
      return 'its certificate does not lead to a trusted root';
    case 'level-too-low':
      return `its level is ${refusal.level ?? 'none'}, below ${refusal.least}`;
  }
}
