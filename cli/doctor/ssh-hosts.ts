import { globSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { codeCommitHost } from '../aws/codecommit/hosts.ts';
import { readableText } from '../files/read-file.ts';
import { home } from '../paths.ts';

/** A `Host` block of a person's SSH configuration that is for CodeCommit. */
export interface SshHost {
  file: string;
  /** Its first and last line, from 1 on. */
  from: number;
  to: number;
  /** The names and patterns after `Host`. */
  patterns: string[];
  /** Whether some of those are for other hosts, or the block includes a file. */
  isShared: boolean;
  /** `HostName`: where a name of the person's own leads. */
  hostName: string | undefined;
  /** `User`: the ID of the key that was uploaded to IAM. */
  user: string | undefined;
  identityFile: string | undefined;
}

/** More files than anybody includes. */
const mostFiles = 64;

/**
 * The blocks for CodeCommit in `~/.ssh/config` and the files that it includes (ssh_config(5)). Keywords have any case, and a value
 * comes after blanks or an equals sign.
 */
export function sshHosts(env: NodeJS.ProcessEnv): SshHost[] {
  const folder = join(home(env), '.ssh');
  const files = [join(folder, 'config')];
  const found: SshHost[] = [];
  // Files that are included are added while we read.
  for (let at = 0; at < files.length && at < mostFiles; at++) {
    const file = files[at] ?? '';
    const { hosts, includes } = readFile(file);
    found.push(...hosts);
    for (const include of includes.map((name) => name.replace(/^~\//, () => `${home(env)}/`))) {
      // Two asterisks mean no more than one to SSH, but the whole tree to Node.
      const pattern = (isAbsolute(include) ? include : join(folder, include)).replace(/\*{2,}/g, '*');
      files.push(
        ...globSync(pattern)
          .filter((one) => !files.includes(one))
          .slice(0, mostFiles),
      );
    }
  }
  return found;
}

/** The host to which a name of the person's own leads; the name itself when none is CodeCommit's. */
export function sshHostName(name: string, env: NodeJS.ProcessEnv): string {
  return (
    sshHosts(env).find(({ patterns, hostName }) => hostName !== undefined && patterns.includes(name))?.hostName ?? name
  );
}

function readFile(file: string): { hosts: SshHost[]; includes: string[] } {
  const hosts: SshHost[] = [];
  const includes: string[] = [];
  let block: SshHost | undefined;
  const end = () => {
    if (block && isCodeCommits(block)) hosts.push(block);
    block = undefined;
  };
  for (const [index, text] of readableText(file).split('\n').entries()) {
    const [, keyword = '', rest = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(text) ?? [];
    const values = [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare = '']) => quoted ?? bare);
    const [first] = values;
    const line = index + 1;
    const word = keyword.toLowerCase();
    if (word === 'host' || word === 'match') end();
    if (word === 'host') {
      block = {
        file,
        from: line,
        to: line,
        patterns: values,
        isShared: false,
        hostName: undefined,
        user: undefined,
        identityFile: undefined,
      };
    } else if (word === 'include') {
      includes.push(...values);
      if (block) block.isShared = true;
    }
    if (block === undefined || word === '') continue;
    block.to = line;
    // The first value of each counts.
    if (word === 'hostname') block.hostName ??= first;
    if (word === 'user') block.user ??= first;
    if (word === 'identityfile') block.identityFile ??= first;
  }
  end();
  return { hosts, includes };
}

function isCodeCommits(block: SshHost): boolean {
  const byName = block.patterns.filter(isCodeCommitPattern);
  const leads = block.hostName !== undefined && codeCommitHost(block.hostName) !== undefined;
  block.isShared ||= !leads && byName.length < block.patterns.length;
  return leads || byName.length > 0;
}

/** Whether a pattern is for CodeCommit alone, such as `git-codecommit.*.amazonaws.com`. */
function isCodeCommitPattern(pattern: string): boolean {
  return /^(?:[\w*?-]+\.)?git-codecommit/.test(pattern);
}
