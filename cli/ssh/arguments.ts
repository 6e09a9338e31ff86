import { Problem } from '../problem/problem.ts';

/** What a person gave to ssh, sorted by who gets it: the connection, or the session on it. */
export interface SshArguments {
  /** Options for the program that connects. */
  connection: string[];
  /** Options for the program whose session the person sees. */
  session: string[];
  /** The command to run there; undefined for a shell. */
  command: string | undefined;
}

/** ssh(1): options with an argument, and options without. */
const withValue = 'bceilmopBDEFIJLRwPQOSW';
const flags = '1246afgknqstvxACGKMNTVXYy';

/** Options for which there is no session, or no connection of ours. */
const unusable = 'fGMNOQSsVW';

/** Of the session alone: the connection has a session of its own, without a terminal, whose input is ours. */
const ofSession = 'entT';

/** Of the connection alone. */
const ofConnection = 'JLRDw';

/** Settings (ssh_config(5)) that mean the same as those options, or that we set. */
const unusableSettings = [
  'controlmaster',
  'controlpath',
  'controlpersist',
  'forkafterauthentication',
  'remotecommand',
  'sessiontype',
  'stdinnull',
];

/**
 * Reads what comes after the host, by ssh's own rules: options, and then, from the first word that is none, a command.
 *
 * @param words such as `['-p', '2222', 'git', 'fetch']`
 * @throws Problem `usage` for an option that ssh does not have, or that cannot be used here
 */
export function readSshArguments(words: readonly string[]): SshArguments {
  const found: SshArguments = { connection: [], session: [], command: undefined };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!/^-./s.test(word) || word === '--') {
      const command = words.slice(word === '--' ? at + 1 : at).join(' ');
      return { ...found, command: command === '' ? undefined : command };
    }
    if (word.startsWith('--')) throw usage(`ssh has no option ${word}.`, '', 'Options of Vouch come before the host.');
    for (let rest = word.slice(1); rest !== ''; ) {
      const letter = rest.charAt(0);
      rest = rest.slice(1);
      let value: string | undefined;
      if (withValue.includes(letter)) {
        value = rest || words[++at];
        if (value === undefined) throw usage(`ssh's option -${letter} needs a value.`);
        rest = '';
      } else if (!flags.includes(letter)) throw usage(`ssh has no option -${letter}.`);
      if (unusable.includes(letter)) throw notHere(`-${letter}`);
      const [setting = ''] = letter === 'o' ? (value ?? '').trim().split(/[\s=]/, 1) : [];
      if (unusableSettings.includes(setting.toLowerCase())) throw notHere(`-o ${setting}`);
      const option = value === undefined ? [`-${letter}`] : [`-${letter}`, value];
      if (!ofSession.includes(letter)) found.connection.push(...option);
      if (!ofConnection.includes(letter)) found.session.push(...option);
    }
  }
  return found;
}

function notHere(option: string): Problem {
  return usage(
    `ssh's option ${option} cannot be used with \`vouch lend ssh\`.`,
    'It opens one connection, with one session in which the lend can be used.',
    'For a connection that you open yourself: `vouch lend --name NAME`, and a RemoteForward in ~/.ssh/config.',
  );
}

function usage(what: string, why = '', fix = 'See ssh(1); options come before the command that runs there.'): Problem {
  return new Problem({ kind: 'usage', what, why, fix });
}
