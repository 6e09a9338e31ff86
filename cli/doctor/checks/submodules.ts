import { git } from '../../git/git.ts';
import type { Check, Visit } from '../check.ts';
import type { Repair } from '../repair.ts';

/** Git follows codecommit:// addresses in submodules only if the configuration allows that (git-config(1), protocol.allow). */
export const submodules: Check = {
  id: 'submodules',
  title: 'Submodules',
  needs: () => ['git', 'remote-helper'],
  applies: async (visit) => (await codeCommitSubmodules(visit).catch(() => [])).length > 0,
  run: async (visit) => {
    const urls = await codeCommitSubmodules(visit);
    const allow = visit.env.GIT_ALLOW_PROTOCOL?.split(':') ?? (await setting(visit));
    const allowed = Array.isArray(allow) ? allow.includes('codecommit') : allow === 'always';
    const data = { urls, allow };
    if (allowed) return { says: `${urls.length} over codecommit://, allowed`, data };
    return {
      says: `${urls.length} over codecommit://, which Git does not follow`,
      data,
      findings: [
        {
          id: 'submodules.not-allowed',
          severity: 'trouble',
          what: 'Git does not follow codecommit:// addresses in submodules.',
          why: [
            Array.isArray(allow)
              ? `GIT_ALLOW_PROTOCOL in the environment does not name it.`
              : `protocol.codecommit.allow is ${allow === undefined ? 'not set, which means "user": only what you name yourself' : `"${allow}"`}.`,
            `The first of them is ${urls[0]}`,
          ],
          steps: Array.isArray(allow)
            ? ['Add codecommit to GIT_ALLOW_PROTOCOL, or unset it.']
            : ['Run `git config --global protocol.codecommit.allow always`.'],
          ...(Array.isArray(allow) ? {} : { repair: allowCodeCommit(visit) }),
        },
      ],
    };
  },
};

/** Also replaces another value, which `vouch setup codecommit` would leave. */
function allowCodeCommit({ env, cwd }: Visit): Repair {
  const args = ['config', '--global', 'protocol.codecommit.allow', 'always'];
  return {
    name: 'allow-codecommit',
    preview: async () => [`git ${args.join(' ')}`],
    apply: async () => {
      await git(args, env, { cwd });
    },
  };
}

async function setting({ env, cwd }: Visit): Promise<string | undefined> {
  for (const name of ['protocol.codecommit.allow', 'protocol.allow']) {
    const { stdout, code } = await git(['config', '--get', name], env, { accepted: [0, 1], cwd });
    if (code === 0) return stdout.trim().toLowerCase();
  }
  return undefined;
}

async function codeCommitSubmodules({ env, cwd }: Visit): Promise<string[]> {
  const top = await git(['rev-parse', '--show-toplevel'], env, { accepted: [0, 128], cwd });
  if (top.code !== 0) return [];
  const file = `${top.stdout.replace(/\n$/, '')}/.gitmodules`;
  const args = ['config', '--file', file, '--null', '--get-regexp', '^submodule\\..*\\.url$'];
  const { stdout } = await git(args, env, { accepted: [0, 1], cwd });
  return stdout.split('\0').flatMap((entry) => {
    const url = entry.slice(entry.indexOf('\n') + 1);
    return url.startsWith('codecommit:') ? [url] : [];
  });
}
