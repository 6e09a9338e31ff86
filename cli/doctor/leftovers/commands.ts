import { shellWord } from '../../aws/config/command-line.ts';

/** Commands that take an old way to CodeCommit away, for a person to copy. */

/** Some lines of a file: the first and the last one, from 1 on. */
export interface Lines {
  from: number;
  to: number;
}

/**
 * Removes lines of a file that may hold a secret, so no copy stays. All at once: a second command would count other lines.
 *
 * @param platform BSD's sed needs the suffix of a copy, which may be empty
 */
export function removeLines(file: string, lines: readonly Lines[], platform = process.platform): string {
  const edits = lines.map(({ from, to }) => `-e ${from === to ? from : `${from},${to}`}d`).join(' ');
  return `\`sed -i${platform === 'darwin' ? " ''" : ''} ${edits} ${shellWord(file)}\``;
}

/** Whether a section's name holds a password, which no command of ours may show. */
export function holdsPassword(section: string): boolean {
  return /\/\/[^/@]*:[^/@]*@/.test(section);
}

/** What ends an IAM user's static user name and password at AWS (IAM's ServiceSpecificCredential). */
export const endStaticCredentials =
  'At AWS: `aws iam list-service-specific-credentials --service-name codecommit.amazonaws.com`, then `aws iam delete-service-specific-credential --service-specific-credential-id ID`';

/** What ends an IAM user's SSH key at AWS. */
export function endSshKey(id: string | undefined): string {
  const known = id !== undefined && /^\w{20,128}$/.test(id) ? id : 'ID';
  const list = known === 'ID' ? '`aws iam list-ssh-public-keys`, then ' : '';
  return `At AWS: ${list}\`aws iam delete-ssh-public-key --user-name NAME --ssh-public-key-id ${known}\``;
}
