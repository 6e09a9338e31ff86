import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { readableText } from '../files/read-file.ts';

export interface NetrcEntry {
  file: string;
  /** From 1 on. */
  line: number;
  /** Whether it is the `default` entry, for all hosts that have no entry of their own. */
  byDefault: boolean;
}

/**
 * The entry of `~/.netrc` with which libcurl answers a server that asks for a user name and a password. Git makes libcurl do that
 * (CURLOPT_NETRC), and asks its helpers only if there is no entry. Only HOME decides where the file is.
 *
 * @param host without a port
 * @param username the user name in the URL, if any: then entries for other names do not count
 */
export function netrcEntry(host: string, username: string | undefined, env: NodeJS.ProcessEnv): NetrcEntry | undefined {
  const file = netrcFile(env);
  const words = wordsOf(readableText(file));
  for (let at = 0; at < words.length; at++) {
    const { word, line } = words[at] as Word;
    const byDefault = word === 'default';
    if (!byDefault && word !== 'machine') continue;
    const name = byDefault ? undefined : words[++at]?.word;
    if (!byDefault && name?.toLowerCase() !== host.toLowerCase()) continue;
    const login = loginOf(words.slice(at + 1));
    if (username === undefined || login === username) return { file, line, byDefault };
  }
  return undefined;
}

/** An entry for one host. */
export interface NetrcLines {
  file: string;
  host: string;
  /** Its first and last line, from 1 on. */
  from: number;
  to: number;
  /** Whether nothing else is on these lines. */
  isAlone: boolean;
}

/** The entries of `~/.netrc` for hosts by name. */
export function netrcEntries(env: NodeJS.ProcessEnv): NetrcLines[] {
  const file = netrcFile(env);
  const words = wordsOf(readableText(file));
  const starts = words.flatMap(({ word }, at) => (isStart(words, at) ? [{ at, named: word === 'machine' }] : []));
  return starts.flatMap(({ at, named }, index) => {
    const next = starts[index + 1]?.at ?? words.length;
    const host = words[at + 1]?.word;
    const [from, to] = [words[at]?.line ?? 0, words[next - 1]?.line ?? 0];
    const isAlone = words[at - 1]?.line !== from && words[next]?.line !== to;
    return named && host !== undefined && next > at + 1 ? [{ file, host, from, to, isAlone }] : [];
  });
}

/** Whether an entry begins there: the word is no value of the word before it. */
function isStart(words: readonly Word[], at: number): boolean {
  const { word } = words[at] as Word;
  return (
    (word === 'machine' || word === 'default') && !/^(machine|login|password|account)$/.test(words[at - 1]?.word ?? '')
  );
}

function netrcFile(env: NodeJS.ProcessEnv): string {
  const home = env.HOME && isAbsolute(env.HOME) ? env.HOME : homedir();
  return join(home, '.netrc');
}

interface Word {
  word: string;
  line: number;
}

/** The user name of an entry, whose words these begin with. */
function loginOf(words: readonly Word[]): string | undefined {
  for (let at = 0; at < words.length; at++) {
    const { word } = words[at] as Word;
    if (word === 'machine' || word === 'default') return undefined;
    if (word === 'login') return words[at + 1]?.word;
    if (word === 'password' || word === 'account') at++;
  }
  return undefined;
}

/** As libcurl's netrc.c reads it: words, some in quotes, comments, and macros up to an empty line. */
function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let inMacro = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (inMacro && line.trim() !== '') continue;
    inMacro = false;
    if (line.trimStart().startsWith('#')) continue;
    const found = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
      ([, quoted, bare = '']) => quoted?.replaceAll(/\\(.)/g, '$1') ?? bare,
    );
    inMacro = found.includes('macdef');
    words.push(
      ...(inMacro ? found.slice(0, found.indexOf('macdef')) : found).map((word) => ({ word, line: index + 1 })),
    );
  }
  return words;
}
