import { isAbsolute, join } from 'node:path';
import { currentFolder } from '../files/current-folder.ts';
import { git } from './git.ts';
import { keepsNothing } from './keeps-nothing.ts';
import { type NormalUrl, normalizeUrl, urlMatches } from './url-match.ts';
import { type VouchHelper, vouchHelper } from './vouch-helper.ts';

/** Git's settings about credentials, from all of its files, as they take effect for one URL. */

export interface Origin {
  scope: 'system' | 'global' | 'local' | 'worktree' | 'command';
  /** The absolute path of the file with the setting, which may be an included file; undefined for the command line. */
  file: string | undefined;
}

export interface ConfiguredHelper {
  value: string;
  /** `credential.<url>`; undefined when it is for every URL. */
  section: string | undefined;
  origin: Origin;
  /** Set when the helper is Vouch's. */
  vouch: VouchHelper | undefined;
}

export interface CredentialConfig {
  /** The helpers that Git asks for this URL, in its order. An empty `helper =` has cleared those before it. */
  helpers: ConfiguredHelper[];
  /** Where the empty `helper =` stands, if no helper comes after it. */
  cleared: Origin | undefined;
  useHttpPath: { value: boolean; origin: Origin } | undefined;
  username: { value: string; origin: Origin } | undefined;
  /** `credential.interactive`: whether a person may be asked. Git has it since 2.47, Git Credential Manager had it before. */
  interactive: string | undefined;
}

/**
 * What Git does about credentials for a URL: which helpers it asks and in which order, whether it tells them the path, and
 * which user name it starts with. Every section that matches counts, in the order in which Git reads its files; a more
 * specific section does not override others.
 *
 * @param url a repository's URL
 * @param cwd the folder where Git would run
 * @throws Problem `no-git`, `git-config`
 */
export async function credentialConfig(url: string, env: NodeJS.ProcessEnv, cwd?: string): Promise<CredentialConfig> {
  return configFor(url, await credentialEntries(env, cwd));
}

/**
 * As `credentialConfig`, from settings that have been read already.
 *
 * @param asked a repository's URL, or what Git asks a helper for
 */
export function configFor(asked: string | CredentialUrl, entries: readonly CredentialEntry[]): CredentialConfig {
  const { protocol, host, path, username: given } = typeof asked === 'string' ? parseUrl(asked) : inBytes(asked);
  const whole = protocol && host ? normalizeUrl(credentialUrl({ protocol, host, path, username: given })) : undefined;
  const found: CredentialConfig = {
    helpers: [],
    cleared: undefined,
    useHttpPath: undefined,
    username: undefined,
    interactive: undefined,
  };
  const patterns = new Map<string, NormalUrl | undefined>();
  for (const { section, name, value, origin } of entries) {
    if (section !== undefined) {
      const text = section.slice('credential.'.length);
      if (!patterns.has(section)) patterns.set(section, normalizeUrl(text, { pattern: true }));
      const pattern = patterns.get(section);
      const username = given || (found.username ? bytes(found.username.value) : given);
      const matches = pattern
        ? whole !== undefined && urlMatches(whole, pattern)
        : partMatches(parseUrl(text), { protocol, host, path, username });
      // A section that is not UTF-8 was not decoded as Git reads it, so it may be for this URL.
      if (!matches && !section.includes('\uFFFD')) continue;
    }
    if (name === 'helper') found.cleared = value === '' ? origin : undefined;
    if (name === 'helper' && value === '') found.helpers = [];
    else if (name === 'helper') found.helpers.push({ value, section, origin, vouch: vouchHelper(value) });
    else if (name === 'usehttppath') found.useHttpPath = { value: isTrue(value), origin };
    else if (name === 'username' && !given) found.username = { value, origin };
    else if (name === 'interactive') found.interactive = value;
  }
  return found;
}

/**
 * The helpers that an older Git would tell to store what Vouch gave. After a request that worked, it tells every helper that it has
 * for the URL (`credential_approve` in its sources), those before Vouch as well as those after.
 *
 * @param isSafe whether a helper is certain to keep nothing
 */
export function storingHelpers(config: CredentialConfig, isSafe = keepsNothing): ConfiguredHelper[] {
  return config.helpers.filter(({ value }) => !isSafe(value));
}

/** What Git knows about a URL that it needs credentials for. */
export interface CredentialUrl {
  protocol?: string | undefined;
  host?: string | undefined;
  path?: string | undefined;
  username?: string | undefined;
}

/** The URL of one of Git's requests, escaped as Git escapes it before it looks for sections (`credential_format`). */
function credentialUrl({ protocol = '', host = '', path, username }: CredentialUrl): string {
  const user = username ? `${escaped(username).replaceAll('/', '%2F')}@` : '';
  return `${protocol}://${user}${host}${path === undefined ? '' : `/${escaped(path)}`}`;
}

/** Escapes as Git's `strbuf_add_percentencode` does. The text holds one byte a character. */
function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~/]/g, (byte) => `%${hex(byte)}`);
}

const hex = (byte: string) => byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');

const bytes = (text: string) => Buffer.from(text).toString('latin1');

function inBytes(asked: CredentialUrl): CredentialUrl {
  return Object.fromEntries(Object.entries(asked).map(([name, text]) => [name, text && bytes(text)]));
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
 * Arguments for Git that print every setting about credentials with its origin, in the order in which Git reads them. Also the alias
 * that Git would run as Vouch's helper, if there is no such program on the PATH.
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

/**
 * Splits a URL, or a part of one, as Git does (`credential_from_url_1`). A missing part matches everything. The texts hold one byte
 * a character.
 */
function parseUrl(url: string): CredentialUrl {
  const [, protocol, rest = ''] = /^(?:(.*?):\/\/)?(.*)$/s.exec(bytes(url)) ?? [];
  const [, authority = '', tail = ''] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  const at = authority.indexOf('@');
  return {
    protocol: protocol || undefined,
    username: at === -1 ? undefined : decode(authority.slice(0, at).split(':', 1)[0] ?? ''),
    host: decode(authority.slice(at + 1)) || undefined,
    path: decode(tail.replace(/^\/+/, '')).replace(/(?<=.)\/+$/s, '') || undefined,
  };
}

/** Whether a section matches that names no whole URL: `credential.example.com` is for that host, over any protocol. */
function partMatches(part: CredentialUrl, asked: CredentialUrl): boolean {
  return (['protocol', 'host', 'path', 'username'] as const).every(
    (name) => part[name] === undefined || part[name] === asked[name],
  );
}

/** Decodes a part of a URL as Git does (`url_decode_mem`): nothing before a colon, no NUL, and malformed escapes stay. */
function decode(text: string): string {
  const colon = Math.max(text.indexOf(':'), 0);
  const decoded = text
    .slice(colon)
    .replace(/%(?!00)([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return text.slice(0, colon) + decoded;
}

/** Git's booleans (git-config(1), "Values"): true, yes, on and every number but 0. */
function isTrue(value: string): boolean {
  return /^(true|yes|on)$/i.test(value) || (/^-?\d+[kmg]?$/i.test(value) && Number.parseInt(value, 10) !== 0);
}
