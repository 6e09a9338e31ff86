import { statSync } from 'node:fs';
import { splitCommandLine } from '../aws/config/command-line.ts';
import { readRegularFile } from '../files/read-file.ts';
import { credentialHelperScript } from '../programs.ts';
import { vouchHelper } from './vouch-helper.ts';

/**
 * Whether a helper is certain to store nothing, even when Git tells it to. Such helpers are Vouch's own, a user's command that only
 * starts Vouch's, and AWS CLI's. False when unsure.
 *
 * @param value as in `credential.<url>.helper`
 */
export function storesNothing(value: string): boolean {
  const vouch = vouchHelper(value) ?? vouchHelper(unwrapped(value));
  return vouch ? vouch.program === undefined || isOurs(vouch.program) : isAwsHelper(value);
}

/** Whether a helper is AWS CLI's: `!aws --profile x codecommit credential-helper $@`, with `aws` by its name or absolute path. */
export function isAwsHelper(value: string): boolean {
  if (!value.startsWith('!') || /[;&|<>`()\n]/.test(value)) return false;
  const [program = '', ...words] = splitCommandLine(value.slice(1)) ?? [];
  const at = words.indexOf('codecommit');
  return /^(\/.*\/)?aws(\.exe)?$/.test(program) && at !== -1 && words[at + 1] === 'credential-helper';
}

/** The command within `!f() { AWS_PROFILE=prod git-credential-vouch "$@"; }; f`, as a helper; any other value as it is. */
function unwrapped(value: string): string {
  if (!value.startsWith('!')) return value;
  const command = value.slice(1);
  const [, , body = command] = /^ *(\w+) *\(\) *\{ ([^{}]*); *\} *; *\1 *$/.exec(command) ?? [];
  return `!${body.replace(/^ *AWS_PROFILE=[\w@.+-]+ +/, '').replace(/ +("\$@"|\$@) *$/, '')}`;
}

/** Whether a path leads to our script, or to a copy of it. True also if there is no such file: it cannot store anything. */
function isOurs(program: string): boolean {
  try {
    if (statSync(program, { throwIfNoEntry: false }) === undefined) return true;
    const script = readRegularFile(credentialHelperScript());
    return readRegularFile(program, script.length).equals(script);
  } catch {
    return false;
  }
}
