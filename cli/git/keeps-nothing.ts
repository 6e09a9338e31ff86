import { statSync } from 'node:fs';
import { splitCommandLine } from '../aws/config/command-line.ts';
import { readRegularFile } from '../files/read-file.ts';
import { credentialHelperScript } from '../programs.ts';
import { vouchHelper } from './vouch-helper.ts';

/**
 * Whether a helper is sure to keep nothing of what Git tells it to store: Vouch's own, a command of the user's that starts it
 * and does nothing else, and that of AWS's command line. What cannot be told of a command counts as a no.
 *
 * @param value as `credential.<url>.helper` has it
 */
export function keepsNothing(value: string): boolean {
  const vouch = vouchHelper(value) ?? vouchHelper(unwrapped(value));
  return vouch ? vouch.program === undefined || isOurs(vouch.program) : isAwsHelper(value);
}

/**
 * Whether it is AWS CLI's helper: `!aws --profile x codecommit credential-helper $@`, aws by name or by its whole path.
 */
export function isAwsHelper(value: string): boolean {
  if (!value.startsWith('!') || /[;&|<>`()\n]/.test(value)) return false;
  const [program = '', ...words] = splitCommandLine(value.slice(1)) ?? [];
  const at = words.indexOf('codecommit');
  return /^(\/.*\/)?aws(\.exe)?$/.test(program) && at !== -1 && words[at + 1] === 'credential-helper';
}

/** The one command of `!f() { AWS_PROFILE=prod git-credential-vouch "$@"; }; f`, as a helper; other values as they are. */
function unwrapped(value: string): string {
  if (!value.startsWith('!')) return value;
  const command = value.slice(1);
  const [, , body = command] = /^ *(\w+) *\(\) *\{ ([^{}]*); *\} *; *\1 *$/.exec(command) ?? [];
  return `!${body.replace(/^ *AWS_PROFILE=[\w@.+-]+ +/, '').replace(/ +("\$@"|\$@) *$/, '')}`;
}

/** Whether what a path names is our script, or a copy of it. Where there is nothing, nothing is kept. */
function isOurs(program: string): boolean {
  try {
    if (statSync(program, { throwIfNoEntry: false }) === undefined) return true;
    const script = readRegularFile(credentialHelperScript());
    return readRegularFile(program, script.length).equals(script);
  } catch {
    return false;
  }
}
