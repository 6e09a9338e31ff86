import { readdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { codeCommitHost } from '../../aws/codecommit/hosts.ts';
import { shellWord, splitCommandLine } from '../../aws/config/command-line.ts';
import { readableText } from '../../files/read-file.ts';
import { credentialEntries } from '../../git/credential-entries.ts';
import { absolute, home } from '../../paths.ts';
import type { Finding, Visit } from '../check.ts';
import { netrcEntries } from '../netrc.ts';
import { shortPath } from '../short-path.ts';
import { endStaticCredentials, removeLines } from './commands.ts';

/**
 * User names and passwords for CodeCommit in files: of `git credential-store`, of Git Credential Manager, and `~/.netrc`. Only their
 * places are given, and keychains are not opened.
 */
export async function storedPasswords(visit: Visit): Promise<Finding[]> {
  return [...(await inStores(visit)), ...inManager(visit), ...inNetrc(visit)];
}

async function inStores({ env, cwd }: Visit): Promise<Finding[]> {
  const usual = [
    join(home(env), '.git-credentials'),
    join(absolute(env.XDG_CONFIG_HOME) ?? join(home(env), '.config'), 'git', 'credentials'),
  ];
  const configured = (await credentialEntries(env, cwd)).flatMap(({ name, value }) =>
    name === 'helper' ? storeFile(value, env) : [],
  );
  return [...new Set([...usual, ...configured])].flatMap((file) => {
    const hosts = readableText(file)
      .split('\n')
      .map((line) => codeCommitHost(URL.parse(line)?.host ?? '')?.host)
      .filter((host) => host !== undefined);
    return [...new Set(hosts)].map((host) =>
      stored(`${shortPath(file, env)} holds a user name and password for ${host}`, [
        `\`printf 'protocol=https\\nhost=${host}\\n' | git credential-store --file ${shellWord(file)} erase\``,
        endStaticCredentials,
      ]),
    );
  });
}

/** The file that a helper `store --file …` names (git-credential-store(1)). */
function storeFile(value: string, env: NodeJS.ProcessEnv): string[] {
  const [program, ...words] = splitCommandLine(value) ?? [];
  if (program !== 'store') return [];
  const at = words.findIndex((word) => /^--file(=|$)/.test(word));
  const file = words[at]?.startsWith('--file=') ? words[at].slice('--file='.length) : words[at + 1];
  const path = file?.replace(/^~\//, () => `${home(env)}/`);
  return at !== -1 && path !== undefined && isAbsolute(path) ? [path] : [];
}

/** Git Credential Manager's stores `plaintext` and `gpg` have a folder for each host (its docs/credstores.md). */
function inManager({ env }: Visit): Finding[] {
  const stores = [
    absolute(env.GCM_PLAINTEXT_STORE_PATH) ?? join(home(env), '.gcm', 'store'),
    absolute(env.PASSWORD_STORE_DIR) ?? join(home(env), '.password-store'),
  ];
  return stores
    .map((store) => join(store, 'git', 'https'))
    .flatMap((folder) => hostsIn(folder).map((host) => ({ folder: join(folder, host), host })))
    .map(({ folder, host }) =>
      stored(`Git Credential Manager holds a user name and password for ${host} in ${shortPath(folder, env)}`, [
        `\`printf 'protocol=https\\nhost=${host}\\n\\n' | git credential-manager erase\``,
        endStaticCredentials,
      ]),
    );
}

function hostsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => codeCommitHost(name) !== undefined);
  } catch {
    return [];
  }
}

function inNetrc({ env }: Visit): Finding[] {
  const entries = netrcEntries(env).filter(({ host }) => codeCommitHost(host) !== undefined);
  const [first] = entries;
  if (first === undefined) return [];
  const alone = entries.filter(({ isAlone }) => isAlone);
  const shared = entries.filter(({ isAlone }) => !isAlone).map(({ host }) => host);
  const names = entries.map(({ host, from }) => `${host} (line ${from})`).join(', ');
  return [
    stored(`${shortPath(first.file, env)} holds a user name and password for ${names}`, [
      // By hand last: that moves the lines.
      ...(alone.length > 0 ? [removeLines(first.file, alone)] : []),
      ...(shared.length > 0
        ? [`In an editor, which keeps the other entries on the same lines: ${shared.join(', ')}`]
        : []),
      endStaticCredentials,
    ]),
  ];
}

function stored(what: string, steps: string[]): Finding {
  return { id: 'leftovers.stored-password', severity: 'warning', what, steps };
}
