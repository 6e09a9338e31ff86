import { type CredentialConfig, credentialConfig } from '../git/effective-config.ts';
import type { Visit } from './check.ts';

/** The URL to examine when no repository is in question. */
export const exampleUrl = 'https://git-codecommit.us-east-1.amazonaws.com/v1/repos/example';

/** What Git does about credentials for the repository; read once per visit. */
export async function credentialSettings({ facts, target, env, cwd }: Visit): Promise<CredentialConfig> {
  facts.credentials ??= await credentialConfig(urlForGit(target), env, cwd);
  return facts.credentials;
}

/** The https:// address for which Git asks its helpers, with the user name. */
function urlForGit(target: Visit['target']): string {
  if (target === undefined) return exampleUrl;
  return target.scheme === 'https' ? target.url : target.https;
}

/** Where a setting stands, for a person. */
export function placeOf({ scope, file }: CredentialConfig['helpers'][number]['origin']): string {
  return (
    file ?? { system: 'system', global: 'global', local: 'local', worktree: 'worktree', command: 'environment' }[scope]
  );
}
