import { isAbsolute, join } from 'node:path';
import { currentFolder } from '../files/current-folder.ts';
import { git } from './git.ts';

/** Where a setting stands. */
export interface Origin {
  scope: 'system' | 'global' | 'local' | 'worktree' | 'command';
  /** The absolute path of the file with the setting, which may be an included file; undefined for the command line. */
  file: string | undefined;
}

/** One setting about credentials. */
export interface CredentialEntry {
  /** `credential.<url>`; undefined when it is for every URL. */
  section: string | undefined;
  /** In lower case; `credential-vouch` for the alias. */
  name: string;
  value: string;
  origin: Origin;
}

/**
 * Arguments with which Git prints every credential setting with its origin, in the order in which Git reads them. The alias
 * `credential-vouch` is among them: Git would run it as Vouch's helper, if no program of that name is on the PATH.
 */
const relevantNames = '^(credential\\.|alias\\.credential-vouch$)';
const listArguments = ['config', '--null', '--show-scope', '--show-origin', '--get-regexp', relevantNames];

/** Every setting about credentials, in the order in which Git reads them. */
export async function credentialEntries(env: NodeJS.ProcessEnv, cwd?: string): Promise<CredentialEntry[]> {
  const { stdout } = await git(listArguments, env, { accepted: [0, 1], cwd });
  const entries = parseListing(stdout);
  const isRelative = ({ origin: { file } }: CredentialEntry) => file !== undefined && !isAbsolute(file);
  if (!entries.some(isRelative)) return entries;
  const base = await topFolder(env, cwd);
  return entries.map((entry) =>
    isRelative(entry) ? { ...entry, origin: { ...entry.origin, file: join(base, entry.origin.file ?? '') } } : entry,
  );
}

/** The settings that `git config --null --show-scope --show-origin` prints. The names of files are as Git prints them. */
function parseListing(text: string): CredentialEntry[] {
  const fields = text.split('\0');
  const entries: CredentialEntry[] = [];
  for (let i = 0; i + 2 < fields.length; i += 3) {
    const [scope = '', source = '', setting = ''] = fields.slice(i, i + 3);
    const newline = setting.indexOf('\n');
    // A name without a value means true (git-config(1)). For helpers Git refuses that.
    const [key, value] = newline === -1 ? [setting, 'true'] : [setting.slice(0, newline), setting.slice(newline + 1)];
    const dot = key.lastIndexOf('.');
    entries.push({
      section: dot > 'credential'.length ? key.slice(0, dot) : undefined,
      name: key.slice(dot + 1),
      value,
      origin: {
        scope: scope as Origin['scope'],
        file: source.startsWith('file:') ? source.slice('file:'.length) : undefined,
      },
    });
  }
  return entries;
}

/** The folder that Git's relative file names start from. */
async function topFolder(env: NodeJS.ProcessEnv, cwd = currentFolder()): Promise<string> {
  const found = git(['rev-parse', '--show-toplevel'], env, { cwd });
  return found.then(({ stdout }) => stdout.replace(/\n$/, '') || cwd).catch(() => cwd);
}
