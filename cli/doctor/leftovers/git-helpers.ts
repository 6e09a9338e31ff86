import { shellWord } from '../../aws/config/command-line.ts';
import { type CredentialEntry, credentialEntries } from '../../git/credential-entries.ts';
import { isAwsHelper, storesNothing } from '../../git/helpers-that-store-nothing.ts';
import { shown } from '../../git/obstacles.ts';
import type { Finding, Visit } from '../check.ts';
import { withoutPassword } from '../network-settings.ts';
import { shortPath } from '../short-path.ts';
import { holdsPassword } from './commands.ts';

/**
 * Helpers in Git's files that are only there for CodeCommit: AWS CLI's, and others in sections for CodeCommit's hosts. Others that
 * serve every host are no leftover: people need them elsewhere, and setup clears them for CodeCommit.
 */
export async function oldHelpers({ env, cwd }: Visit): Promise<Finding[]> {
  const entries = await credentialEntries(env, cwd);
  return entries.filter(isOld).map((entry) => findingFor(entry, entries, env));
}

function isOld({ name, value, section, origin }: CredentialEntry): boolean {
  if (name !== 'helper' || value === '' || origin.file === undefined) return false;
  if (isAwsHelper(value)) return true;
  return isForCodeCommit(section) && !storesNothing(value);
}

/** `credential.https://git-codecommit.…` */
function isForCodeCommit(section: string | undefined): boolean {
  return /^credential\.(?:[a-z]+:\/\/)?(?:[^/@]*@)?(?:[\w*-]+\.)?git-codecommit/i.test(section ?? '');
}

function isManager(value: string): boolean {
  return /(?:^|[/\\-])manager(?:-core)?(?:\.exe)?(?:\s|"|'|$)/.test(value);
}

function findingFor(entry: CredentialEntry, entries: readonly CredentialEntry[], env: NodeJS.ProcessEnv): Finding {
  const { value, section = 'credential', origin } = entry;
  const file = origin.file ?? '';
  const inFile = entries.filter((one) => one.origin.file === file && (one.section ?? 'credential') === section);
  const isAws = isAwsHelper(value);
  const who = isAws ? "AWS CLI's helper" : isManager(value) ? 'Git Credential Manager' : `The helper "${shown(value)}"`;
  const config = `${origin.scope === 'system' ? 'sudo ' : ''}git config --file ${shellWord(file)}`;
  return {
    id: `leftovers.${isAws ? 'aws-helper' : isManager(value) ? 'credential-manager' : 'helper'}`,
    severity: 'warning',
    what: `${who} is still configured for CodeCommit: ${withoutPassword(section)}.helper in ${shortPath(file, env)}`,
    steps: stepsFor(entry, inFile, config),
  };
}

function stepsFor({ section, value }: CredentialEntry, inFile: readonly CredentialEntry[], config: string): string[] {
  const helpers = inFile.filter(({ name }) => name === 'helper');
  const hasOurs = helpers.some((one) => one.value !== '' && storesNothing(one.value) && !isAwsHelper(one.value));
  // An empty helper that stays would clear Vouch's, which stands before it.
  if (holdsPassword(section ?? '')) return [`\`${config} --edit\`, and remove that section`];
  if (isForCodeCommit(section) && !hasOurs) return [`\`${config} --remove-section ${shellWord(section ?? '')}\``];
  const key = shellWord(`${section ?? 'credential'}.helper`);
  // A shell command may contain a password.
  const isPlain = isAwsHelper(value) || !value.startsWith('!');
  const steps = [
    isPlain
      ? `\`${config} --fixed-value --unset-all ${key} ${shellWord(value)}\``
      : `\`${config} --edit\`, and remove it there`,
  ];
  if (section === undefined && isAwsHelper(value) && inFile.some(({ name }) => name === 'usehttppath')) {
    steps.push(`If no other host needs it: \`${config} --unset-all credential.useHttpPath\``);
  }
  return steps;
}
