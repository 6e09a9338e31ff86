import { basename } from 'node:path';
import { parseRoleArn, type RoleArn } from '../role-arn.ts';
import { splitCommandLine } from './command-line.ts';

/**
 * The role in Vouch's `credential_process`: `vouch credential aws --role <arn>`. Vouch may be named by its path, with its Node
 * and Node's options before it (`vouch setup aws --absolute`).
 *
 * @returns undefined when the command is another one
 */
export function roleOfCredentialProcess(command: string): RoleArn | undefined {
  const words = splitCommandLine(command) ?? [];
  if (basename(words[0] ?? '') === 'node') {
    do words.shift();
    while (words[0]?.startsWith('--'));
  }
  const [program, credential, aws, ...rest] = words;
  if (program === undefined || basename(program) !== 'vouch' || credential !== 'credential' || aws !== 'aws') {
    return undefined;
  }
  const at = rest.findIndex((word) => word === '--role' || word.startsWith('--role='));
  const option = rest[at];
  const arn = option === '--role' ? rest[at + 1] : option?.slice('--role='.length);
  return arn === undefined ? undefined : parseRoleArn(arn);
}
