import { buildProgram } from '../../cli/vouch/command-table.ts';
import manifest from '../../package.json' with { type: 'json' };
import { makeProgram } from '../../server/commands/program.ts';
import { commands, programOptions, synopsis } from './command-pages.ts';
import { bold, escaped, paragraph, prose, section, term, title, usage, verbatim } from './roff.ts';

/** The manual's pages, by the name of their file. */
export function manualPages(): Record<string, string> {
  return {
    'vouch.1': vouch(),
    'vouch-server.8': vouchServer(),
    'git-credential-vouch.1': gitCredentialVouch(),
    'git-remote-codecommit.1': gitRemoteCodecommit(),
  };
}

/** The program `vouch`, for what reads its table and runs nothing. */
export function vouchProgram() {
  const nowhere = { write: () => true };
  return buildProgram({ stdout: nowhere, stderr: nowhere, env: {} });
}

const { version } = manifest;

function page(name: string, number: number, summary: string, ...parts: string[]): string {
  return `${[title(name, number, version), section('NAME'), `${escaped(name)} \\- ${escaped(summary)}`, ...parts].join('\n')}\n`;
}

const seeAlso = (...pages: [name: string, number: number][]) => [
  section('SEE ALSO'),
  pages.map(([name, number]) => `${bold(name)}(${number})`).join(', '),
];

const terms = (rows: [name: string, meaning: string][]) =>
  rows.map(([name, meaning]) => term(bold(name), prose(meaning)));

function vouch(): string {
  const program = vouchProgram();
  return page(
    'vouch',
    1,
    'use Git against AWS CodeCommit with a touch of a security key, and no stored secret',
    ...synopsis(program),
    section('DESCRIPTION'),
    prose(
      '`vouch login` signs you in with a touch of your security key, for 8 hours. An agent keeps the session in its memory, and gives Git a ' +
        'user name and a password for AWS CodeCommit, and AWS tools temporary credentials. Nothing of it is written to the disk.',
    ),
    paragraph(
      prose(
        'A first day: `vouch setup --server https://vouch.example.com` walks through all of it, then `vouch login`.',
      ),
    ),
    ...programOptions(program),
    ...commands(program),
    section('EXIT STATUS'),
    ...terms([
      ['0', 'Done.'],
      ['1', 'Failed.'],
      ['2', 'Wrong usage.'],
      ['3', 'No session, or it is over, or its touch is too old: `vouch login` helps.'],
      ['4', 'The server or AWS cannot be reached.'],
      ['5', 'Refused, by the policy of the server or by AWS.'],
      ['126, 127', 'Of `vouch exec` and `vouch lend exec`: the program cannot be run, or there is none.'],
      ['130, 143, 141', 'Ended by Ctrl-C, by SIGTERM, or because nobody reads the output any more.'],
    ]),
    section('ENVIRONMENT'),
    ...terms([
      ['AWS_CONFIG_FILE, AWS_PROFILE', "Where the profiles are; which one, if it is one of Vouch's."],
      ['AWS_REGION, AWS_DEFAULT_REGION', "The region of codecommit:// addresses that have none, after the profile's."],
      ['HTTPS_PROXY, HTTP_PROXY, NO_PROXY', 'Proxies, in lower case too.'],
      ['NODE_EXTRA_CA_CERTS, AWS_CA_BUNDLE', 'Which authorities to trust: everywhere; for STS only.'],
      ['BROWSER', 'What opens the sign-in page.'],
      ['XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR', 'Where the files and sockets are; absolute paths only.'],
      ['NO_COLOR', 'No colours.'],
    ]),
    section('FILES'),
    ...terms([
      ['~/.config/vouch/config.json', 'The URL of the server and your settings; no secret.'],
      ['$XDG_RUNTIME_DIR/vouch', 'The sockets of the agent.'],
      ['~/.aws/config', 'Profiles. Vouch adds its own and touches no other.'],
    ]),
    ...seeAlso(['git-credential-vouch', 1], ['git-remote-codecommit', 1], ['gitcredentials', 7], ['vouch-server', 8]),
  );
}

function vouchServer(): string {
  const program = makeProgram();
  return page(
    'vouch-server',
    8,
    'the identity server of Vouch: WebAuthn relying party and OpenID Connect provider',
    ...synopsis(program),
    section('DESCRIPTION'),
    prose(
      '`vouch-server serve` runs the server. Its settings are environment variables, VOUCH_ISSUER first of all. All other commands work while ' +
        'the server runs and while it is down, with the same settings.',
    ),
    ...programOptions(program),
    ...commands(program),
    section('EXIT STATUS'),
    ...terms([
      ['0', 'Done.'],
      ['1', 'Failed.'],
      ['2', 'Wrong usage.'],
      ['130, 141', 'Ended by Ctrl-C, or because nobody reads the output any more.'],
    ]),
    ...seeAlso(['vouch', 1]),
  );
}

function gitCredentialVouch(): string {
  return page(
    'git-credential-vouch',
    1,
    'give Git a user name and a password for AWS CodeCommit',
    section('SYNOPSIS'),
    usage('git-credential-vouch [--profile NAME] [--node PATH] get'),
    section('DESCRIPTION'),
    prose(
      'Git runs this credential helper; there is no need to run it by hand. It asks the agent of Vouch, which answers with a user name and a ' +
        'password that are valid for 15 minutes and for one repository. Without a session it starts a login if somebody is at the terminal, ' +
        'or says what to do. For hosts other than those of AWS CodeCommit it prints nothing. It stores nothing: `store` and `erase` do nothing.',
    ),
    paragraph(prose('`vouch setup codecommit` tells Git to use it:')),
    verbatim(
      '[credential "https://git-codecommit.*.amazonaws.com"]\n\thelper =\n\thelper = vouch\n\tuseHttpPath = true',
    ),
    section('OPTIONS'),
    term(`${bold('--profile')} \\fIname\\fR`, prose('The AWS profile whose role serves the repository.')),
    term(`${bold('--node')} \\fIpath\\fR`, prose('The Node to use, for a Git whose PATH has none.')),
    section('EXIT STATUS'),
    prose('Always 0 when Git asks. If it cannot answer, its output makes Git stop (`quit=1`).'),
    ...seeAlso(['vouch', 1], ['gitcredentials', 7], ['git-credential', 1]),
  );
}

function gitRemoteCodecommit(): string {
  return page(
    'git-remote-codecommit',
    1,
    'let Git understand codecommit:// addresses',
    section('SYNOPSIS'),
    usage('git-remote-codecommit <remote> <url>'),
    section('DESCRIPTION'),
    prose(
      'Git runs this remote helper for addresses of the scheme codecommit; there is no need to run it by hand. It turns the address into one of ' +
        'https, and replaces itself with the helper of Git for that. User name and password come from `git-credential-vouch`.',
    ),
    section('ADDRESSES'),
    ...terms([
      ['codecommit://repository', 'The region is that of the profile, or AWS_REGION or AWS_DEFAULT_REGION.'],
      ['codecommit::us-east-1://repository', 'With the region.'],
      ['codecommit://profile@repository', 'With the AWS profile.'],
      ['codecommit::us-east-1://profile@repository', 'With both.'],
    ]),
    ...seeAlso(['vouch', 1], ['git-credential-vouch', 1], ['gitremote-helpers', 7]),
  );
}
