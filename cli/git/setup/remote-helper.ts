import manifest from '../../../package.json' with { type: 'json' };
import { findOnPath } from '../../files/on-path.ts';
import { packageOf } from '../../files/package-of.ts';

/** The `git-remote-codecommit` that Git would start, and whether it is Vouch's. */
export function remoteHelper(env: NodeJS.ProcessEnv): { file: string; isOurs: boolean } | undefined {
  const [file] = findOnPath('git-remote-codecommit', env);
  return file === undefined ? undefined : { file, isOurs: packageOf(file)?.name === manifest.name };
}
