#!/usr/bin/env node
import { findOnPath } from '../files/on-path.ts';
import { noGit } from '../git/required-git.ts';
import { printProblem } from '../problem/print.ts';
import { version } from '../programs.ts';
import { protectMemory } from '../protect-memory.ts';
import { become } from './become.ts';
import { locate } from './locate.ts';
import { repeatedSettings, transferSettings, withSettings } from './settings.ts';
import { parseRemoteUrl } from './url.ts';

/**
 * `git-remote-codecommit <remote> <url>`: Git starts it for URLs of the scheme `codecommit` (gitremote-helpers(7)). It only
 * translates the URL. Git's own helper for HTTPS talks to CodeCommit, and asks git-credential-vouch for user name and password. So
 * no argument and no variable ever contains a secret.
 */

const usage = `git-remote-codecommit ${version}, of Vouch. Git starts it for URLs of AWS CodeCommit such as
  codecommit://repository                  codecommit::us-east-1://repository
  codecommit://profile@repository          codecommit::us-east-1://profile@repository
so there is no need to run it by hand. Try \`git clone codecommit::us-east-1://repository\`.
`;

async function transfer(remote: string, address: string, env: NodeJS.ProcessEnv): Promise<void> {
  const parsed = parseRemoteUrl(address);
  const { url, configuredProfile } = await locate(parsed, env);
  const git = findOnPath('git', env)[0];
  if (git === undefined) throw noGit();
  const settings = transferSettings(url, { named: parsed.profile, configured: configuredProfile });
  await become(git, [...repeatedSettings(env, settings), 'remote-https', remote, url], {
    ...withSettings(env, settings),
    // Git has allowed `codecommit`, so we allow HTTPS. No other protocol is needed, not even for redirects.
    GIT_ALLOW_PROTOCOL: 'https',
  });
}

async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [remote, url, ...rest] = args;
  if (remote !== undefined && url !== undefined && rest.length === 0) return await transfer(remote, url, env);
  if (args.length === 1 && /^(-h|--help|--version)$/.test(remote ?? '')) {
    process.stdout.write(usage);
    return;
  }
  const what = rest.length > 0 ? 'Too many arguments.' : 'Too few arguments.';
  process.stderr.write(`vouch: ${what} Git gives two, a remote and its URL.\n${usage}`);
  process.exitCode = 2;
}

protectMemory();
main(process.argv.slice(2), process.env).catch((error: unknown) => {
  process.exitCode = printProblem(process.stderr, error);
});
