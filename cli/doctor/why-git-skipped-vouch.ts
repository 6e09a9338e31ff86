import { git } from '../git/git.ts';
import { normalizeUrl, urlMatches } from '../git/url-match.ts';
import type { Visit } from './check.ts';
import { netrcEntry } from './netrc.ts';
import { shortPath } from './short-path.ts';
import { addressFor, codeCommitAddress, type Target } from './target-repository.ts';

/** Something that makes Git send another user name and password, without asking a helper. */
export interface Cause {
  what: string;
  fix: string;
}

/**
 * What on this machine may have made Git answer CodeCommit before it asked Vouch's helper, the most likely cause first. Values are
 * never printed: they are passwords.
 *
 * With http.proactiveAuth, Git 2.46 and newer asks its helpers first: then only the header counts.
 */
export async function whyGitSkippedVouch(visit: Visit): Promise<Cause[]> {
  const { env, target } = visit as Visit & { target: Target };
  const causes: Cause[] = [];
  const settings = await httpSettings(visit);
  const place = ({ key, file }: HttpSetting) =>
    `${key} in ${file === undefined ? "Git's command line" : shortPath(file, env)}`;

  const header = settings.findLast(
    ({ name, value }) => name === 'extraheader' && /^\s*authorization\s*[:;]/i.test(value),
  );
  if (header) {
    causes.push({
      what: `${place(header)} sets a header Authorization, which Git sends instead of any other.`,
      fix: 'Remove that header, or set it only for its own hosts (http.<URL>.extraHeader).',
    });
  }
  if (target.emptyUser) {
    const without = addressFor(target.https, undefined);
    causes.push({
      what: 'There is an empty user name in the URL (before the @): Git sends it with an empty password.',
      fix:
        target.remote === undefined
          ? `Take it out: ${without}`
          : `Run \`git remote set-url ${target.remote} ${without}\`.`,
    });
  }
  const user = target.scheme === 'https' ? target.profile : undefined;
  const entry = netrcEntry(target.host.host, user, env);
  if (entry) {
    const where = `${shortPath(entry.file, env)}, line ${entry.line}`;
    causes.push({
      what: entry.byDefault
        ? `There is an entry for all hosts (default) in ${where}: Git answers with that.`
        : `There is an entry for ${target.host.host} in ${where}: Git answers with that.`,
      fix: entry.byDefault
        ? `Remove it, or write entries for its hosts; or put a profile into the URL: ${addressFor(target.https, visit.facts.profile?.name ?? 'vouch')}`
        : 'Remove that entry.',
    });
  }
  // With a user name in the URL, an older Git needs this setting (git/setup/http-settings.ts).
  if (user === undefined && !target.emptyUser && (await emptyAuth(visit))) {
    const empty = settings.findLast(({ name, section }) => name === 'emptyauth' && !section?.includes('@'));
    causes.push({
      what: `${empty ? place(empty) : 'http.emptyAuth'} is on: Git sends an empty user name and password.`,
      fix: `Remove it, or turn it off for CodeCommit: \`git config --global http.https://${target.host.host}.emptyAuth false\``,
    });
  }
  return causes;
}

/** What to do about settings on Git's command line. They do not affect a codecommit:// address. */
export function schemeInstead(target: Target | undefined): string {
  const address = target === undefined ? 'codecommit::us-east-1://demo' : codeCommitAddress(target);
  return target?.remote === undefined
    ? `A codecommit:// address works there: ${address}`
    : `A codecommit:// address works there: \`git remote set-url ${target.remote} ${address}\``;
}

interface HttpSetting {
  /** The setting's usual spelling, such as `http.extraHeader`. */
  key: string;
  name: 'extraheader' | 'emptyauth';
  section: string | undefined;
  value: string;
  file: string | undefined;
}

const spelled = { extraheader: 'extraHeader', emptyauth: 'emptyAuth' } as const;

/** The settings that apply to the repository, in Git's order. An empty extraHeader clears the earlier ones. */
async function httpSettings({ env, cwd, target }: Visit): Promise<HttpSetting[]> {
  const args = [
    'config',
    '--null',
    '--show-scope',
    '--show-origin',
    '--get-regexp',
    '^http\\.(.*\\.)?(extraheader|emptyauth)$',
  ];
  const { stdout } = await git(args, env, { accepted: [0, 1], cwd });
  const fields = stdout.split('\0');
  const found: HttpSetting[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [, source = '', setting = ''] = fields.slice(at, at + 3);
    const [key = '', ...value] = setting.split('\n');
    const [, section, name] = /^http\.(?:(.*)\.)?(extraheader|emptyauth)$/s.exec(key) ?? [];
    if (!isForTarget(section, target) || (name !== 'extraheader' && name !== 'emptyauth')) continue;
    found.push({
      key: `http.${section === undefined ? '' : `${section}.`}${spelled[name]}`,
      name,
      section,
      value: value.join('\n'),
      file: source.startsWith('file:') ? source.slice('file:'.length) : undefined,
    });
  }
  const cleared = found.findLastIndex(({ name, value }) => name === 'extraheader' && value === '');
  return found.filter(({ name }, index) => name !== 'extraheader' || index > cleared);
}

function isForTarget(section: string | undefined, target: Target | undefined): boolean {
  if (section === undefined) return true;
  const url = normalizeUrl(target?.scheme === 'https' ? target.url : (target?.https ?? ''));
  const pattern = normalizeUrl(section, { pattern: true });
  return url !== undefined && pattern !== undefined && urlMatches(url, pattern);
}

async function emptyAuth({ env, cwd, target }: Visit): Promise<boolean> {
  const args = ['config', '--type=bool', '--get-urlmatch', 'http.emptyAuth', target?.https ?? ''];
  const { stdout } = await git(args, env, { accepted: [0, 1, 128], cwd });
  return stdout.trim() === 'true';
}
