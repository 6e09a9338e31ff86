import { Argument, type Command, Option } from 'commander';
import { engines } from '../box/container.ts';
import { listed } from '../completion/values.ts';
import { lendOptions } from '../lend/options.ts';
import { version } from '../programs.ts';
import { shells } from '../prompt/shells.ts';
import type { Io } from '../terminal/io.ts';
import { formats, status } from './commands/status.ts';
import { environmentFormats } from './environment-formats.ts';
import { addHelp, sayWhereHelpIs, unknown } from './help.ts';
import { json, noBrowser, paste, port, profile, region, server, timeout, yes } from './options.ts';
import { WrappingCommand } from './wrapping-command.ts';

/**
 * The command table: `vouch` with all its commands, their arguments, options and descriptions. Building it has no side effects, so
 * what is generated from it (completion, manual pages, tests) builds it as well. A command's code is loaded when the command runs.
 *
 * @param io the environment and output of the command that runs
 * @param ended called with the exit code of the command that ran
 * @returns the program; its parsing throws CommanderError for wrong usage, and after help and version
 */
export function buildProgram(io: Io, ended: (exitCode: number) => void = () => {}): Command {
  const program = new WrappingCommand('vouch')
    .description('Touch your security key once a day, then use Git against AWS CodeCommit with no stored secret.')
    .version(version)
    // An option after a command's name is that command's, and after a program's name (`vouch exec`) that program's.
    .enablePositionalOptions()
    .exitOverride();

  /** Loads a command's code only when it runs: `vouch --help` should not wait for OAuth. */
  function lazily(load: () => Promise<(...args: never[]) => Promise<number>>) {
    return async (...args: unknown[]) => {
      const command = (await load()) as (...args: unknown[]) => Promise<number>;
      // commander adds the Command after the arguments and the options.
      ended(await command(...args.slice(0, -1), io));
    };
  }

  /** The same for a command that has commands of its own, too: commander takes the name of an unknown one for an argument. */
  function withCommands(load: Parameters<typeof lazily>[0]) {
    return async (options: object, command: Command) => {
      if (command.args.length > 0) unknown(command, command.args[0] ?? '');
      await lazily(load)(options, command);
    };
  }

  program
    .command('enroll')
    .description('make your security key known to the server, with the invitation code of your administrator')
    .addOption(server())
    .option('--name <name>', 'what to call the key, such as "Work key"')
    .addOption(noBrowser())
    .addOption(timeout())
    .addOption(json())
    .action(lazily(async () => (await import('./commands/enroll.ts')).enroll));

  program
    .command('login')
    .description('sign in with a touch of your security key, for 8 hours')
    .addOption(server())
    .addOption(noBrowser())
    .addOption(port())
    .addOption(paste())
    .addOption(timeout())
    .addOption(json())
    .action(lazily(async () => (await import('./commands/login.ts')).login));

  program
    .command('logout')
    .description('end the session, here and at the server')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/logout.ts')).logout));

  program
    .command('status')
    .description('show who is signed in, until when, and for which AWS roles')
    .addOption(new Option('--format <format>', 'how to say it; shell is for sh, bash and zsh').choices(formats))
    .addOption(json().conflicts('format'))
    .action(lazily(async () => status));

  const keys = program
    .command('keys')
    .description('your security keys at the server')
    .addHelpText(
      'after',
      `
A key is named by its name, or by its ID or the beginning of that. Examples:
  vouch keys list
  vouch keys add --name "In the drawer"
  vouch keys rename "Security key" "Work key"
  vouch keys remove "Old key"
`,
    );

  keys
    .command('list')
    .description('show them: name, model, when added, when last used')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/keys.ts')).keysList));

  keys
    .command('add')
    .description('add a further key, such as a spare: opens the page that does it, and waits')
    .option('--name <name>', 'what to call the key, such as "In the drawer"')
    .addOption(noBrowser())
    .addOption(timeout(600))
    .addOption(json())
    .action(lazily(async () => (await import('./commands/keys-add.ts')).keysAdd));

  keys
    .command('rename <key> <name>')
    .description('give a key another name')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/keys.ts')).keysRename));

  keys
    .command('remove <key>')
    .description('remove a key, and end the sessions that began with it')
    .addOption(yes())
    .addOption(json())
    .addHelpText(
      'after',
      `
It takes a touch from the last 5 minutes. On a terminal this command makes you
sign in for that; a script runs \`vouch login\` first. Your only key cannot be
removed. If you signed in with the key, this session ends too.
`,
    )
    .action(lazily(async () => (await import('./commands/keys-remove.ts')).keysRemove));

  const sessions = program
    .command('sessions')
    .description('where you are signed in')
    .addHelpText(
      'after',
      `
Examples:
  vouch sessions list
  vouch sessions end build-server     all sessions on that machine
  vouch sessions end 3f9a1c2e         the one with this ID
  vouch sessions end --others         all but this machine's
`,
    );

  sessions
    .command('list')
    .description('show your sessions: machine, since, until, last role; and browsers with your account open')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/sessions.ts')).sessionsList));

  sessions
    .command('end [session]')
    .description('end one by its ID, all of a machine by its name, or several')
    .option('--others', "end all but this machine's")
    .option('--all', "end all, this machine's too")
    .addOption(json())
    .action(lazily(async () => (await import('./commands/sessions.ts')).sessionsEnd));

  program
    .command('not-me')
    .description('somebody else has used your account: end all your sessions, and report it')
    .addOption(yes())
    .addOption(json())
    .action(lazily(async () => (await import('./commands/not-me.ts')).notMe));

  program
    .command('init')
    .description('print a script that shows in the shell prompt how long the session lasts')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `
  bash, in ~/.bashrc                    eval "$(vouch init bash)"
  zsh, in ~/.zshrc                      eval "$(vouch init zsh)"
  fish, in ~/.config/fish/config.fish   vouch init fish | source
`,
    )
    .action(lazily(async () => (await import('./commands/init.ts')).init));

  program
    .command('completion')
    .description(
      'print a script that completes the commands of vouch, their options, and your profiles, roles and keys',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `
  bash, in ~/.bashrc                    eval "$(vouch completion bash)"
  zsh, in ~/.zshrc after compinit       eval "$(vouch completion zsh)"
  fish, in ~/.config/fish/config.fish   vouch completion fish | source
`,
    )
    .action(lazily(async () => (await import('./commands/completion.ts')).completion));

  program
    .command('completion-words', { hidden: true })
    .description('print what can complete a value, one a line: the completion scripts run it')
    .addArgument(new Argument('<kind>', 'what to list').choices(listed))
    .action(lazily(async () => (await import('./commands/completion-words.ts')).completionWords));

  const setup = program
    .command('setup')
    .description('set this machine up: asks about each step that is not done; or run one step by its name')
    .addOption(server())
    .addOption(noBrowser())
    .addOption(json())
    .enablePositionalOptions()
    .allowExcessArguments()
    .addHelpText(
      'after',
      `
The steps are: server, key, AWS profile, Git, shell prompt. Each says what it
found. Without a terminal, and with --json, nothing is asked or changed: it says
what is missing, and how to do it. Status 0 when nothing is missing that Git
needs, otherwise 1.
`,
    )
    .action(withCommands(async () => (await import('./commands/setup.ts')).setup));

  setup
    .command('aws')
    .description('write a profile that gets its credentials from Vouch into your AWS config; asks for what is missing')
    .option('--role <arn>', 'the role to assume, such as arn:aws:iam::123456789012:role/VouchDeveloper')
    .option('--region <region>', 'the region of the profile, such as us-east-1')
    .option('--profile <name>', 'the name of the profile (default: "vouch")')
    .option('--source-profile <name>', 'the profile of Vouch that the role is assumed through (role chaining)')
    .option('--external-id <id>', 'the external id that a chained role asks for')
    .option('--absolute', 'name vouch by its path, for tools whose PATH lacks it')
    .option('--force', 'change an existing profile of that name')
    .option('--remove', 'take the profile out again')
    .option('--dry-run', 'show what would change, and change nothing')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/setup-aws.ts')).setupAws));

  setup
    .command('codecommit')
    .description('have Git ask Vouch for credentials for AWS CodeCommit')
    .option('--region <region>', "only for this region's hosts")
    .option('--url <url>', 'only for this repository or host, such as https://git-codecommit.us-east-1.amazonaws.com')
    .option('--profile <name>', 'the AWS profile whose role serves them')
    .option(
      '--user <profile>',
      'let the name of this AWS profile stand in URLs, as in https://prod@… (Git before 2.46)',
    )
    .option('--global', 'in your own Git configuration (the default)')
    .option('--local', "in this repository's configuration")
    .option('--system', "in this machine's configuration")
    .option('--absolute', 'write the absolute paths of the helper and of Node, for programs that lack your PATH')
    .option('--verbose', 'show every line that is changed, as --dry-run does')
    .option('--no-remote-helper', 'set nothing up for codecommit:// URLs')
    .option('--dry-run', 'show what would change, and write nothing')
    .option('--remove', 'take away what this command has added')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/setup-codecommit.ts')).setupCodeCommit));

  program
    .command('credential')
    .description('print credentials, for other programs')
    .command('aws')
    .description('AWS credentials for a role, as the JSON of credential_process')
    .requiredOption('--role <arn>', 'the role to assume')
    .action(lazily(async () => (await import('./commands/credential.ts')).credentialAws));

  program
    .command('exec')
    .usage('[options] [--] <program> [argument...]')
    .description("run a program with AWS credentials in its environment, if it can't use a profile")
    .argument('<program...>', 'the program and its arguments')
    .addOption(profile())
    .addOption(region())
    .option('-q, --quiet', 'do not warn that the environment holds secrets')
    .addHelpText(
      'after',
      `
The credentials end when AWS says so, in an hour at most; the program is not
told of new ones. Use a profile wherever you can (\`vouch setup aws\`). Example:
  vouch exec --profile vouch -- terraform plan
`,
    )
    .passThroughOptions()
    .action(lazily(async () => (await import('./commands/exec.ts')).exec));

  program
    .command('env')
    .description('print AWS credentials as variables, for a shell or a program')
    .addOption(profile())
    .addOption(region())
    .addOption(
      new Option('--format <format>', 'how to print them; docker is for --env-file').choices(environmentFormats),
    )
    .addOption(json().conflicts('format'))
    .option('--show', 'print them on a terminal too')
    .addHelpText(
      'after',
      `
  sh, bash, zsh   eval "$(vouch env)"
  fish            vouch env --format fish | source
  Docker          docker run --env-file <(vouch env --format docker) …
`,
    )
    .action(lazily(async () => (await import('./commands/env.ts')).env));

  const lend = lendOptions(program.command('lend'))
    .description('lend Git a socket that opens some repositories for a while, for a place elsewhere')
    .addOption(json())
    .enablePositionalOptions()
    .allowExcessArguments()
    .addHelpText(
      'after',
      `
What it gives is fenced, and AWS enforces the fence. It ends with its time, with
\`vouch lend end\`, and with your session. Examples:
  vouch lend --repo demo --pull-only --for 30m
  vouch lend --repo 'team-*' --branch 'agent/*' --name build
`,
    )
    // `vouch lend --repo demo ssh HOST` would lend everything: the option is for the command that it precedes.
    .hook('preSubcommand', (_, command) => {
      const misplaced = lend.options.find((option) => lend.getOptionValueSource(option.attributeName()) === 'cli');
      if (misplaced)
        lend.error(
          `error: option '${misplaced.long}' comes after the name of the command: vouch lend ${command.name()} ${misplaced.long} …`,
        );
    })
    .action(withCommands(async () => (await import('./commands/lend.ts')).lend));

  lend
    .command('list')
    .description('show what is lent')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/lend.ts')).lendList));

  lend
    .command('end [name]')
    .description('end a lend')
    .option('--all', 'end all')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/lend.ts')).lendEnd));

  lendOptions(lend.command('ssh'), { isHere: false })
    .usage("[options] <host> [--] [ssh's options] [command...]")
    .description('open a shell on an SSH host, or run a command there, whose Git finds what is lent')
    .argument('<host>', 'the host, as you give it to ssh')
    .argument('[words...]', 'options of ssh, and a command to run there')
    .option('-q, --quiet', 'do not say what is lent')
    .addHelpText(
      'after',
      `
The host needs Git, and nothing of Vouch's. The lend ends with the shell or the
command, whose exit code is the command's. Examples:
  vouch lend ssh --repo demo build.example.com
  vouch lend ssh --repo demo --pull-only build -- -p 2222 git -C work pull
`,
    )
    .passThroughOptions()
    .action(lazily(async () => (await import('./commands/lend-ssh.ts')).lendSsh));

  lend
    .command('git-config <name>')
    .description("print Git's settings for a place that has Git alone, and the lend's socket")
    .option('--socket <path>', "the socket's path at that place (default: its path here)")
    .addOption(json())
    .action(lazily(async () => (await import('./commands/lend.ts')).lendGitConfig));

  lendOptions(lend.command('exec'))
    .usage('[options] [--] <program> [argument...]')
    .description('run a program that finds what is lent, and not your session')
    .argument('<program...>', 'the program and its arguments')
    .option('-q, --quiet', 'do not say what is lent')
    .addHelpText(
      'after',
      `
The lend ends with the program. It is still a program of yours, and can look
for the agent itself unless a sandbox such as bubblewrap hides the agent's
socket from it. Examples:
  vouch lend exec --repo demo --pull-only -- claude
  vouch lend exec --repo 'team-*' --branch 'agent/*' --for 8h -- bash
`,
    )
    .passThroughOptions()
    .action(lazily(async () => (await import('./commands/lend-exec.ts')).lendExec));

  lendOptions(lend.command('docker'), { isHere: false })
    .usage("[options] [--] [docker's options] <image> [command...]")
    .description("run a container whose Git finds what is lent; it needs nothing of Vouch's")
    .argument('<image...>', 'options of `docker run`, the image, and what to run in it')
    .addOption(new Option('--engine <program>', 'docker or podman (default: the first on the PATH)').choices(engines))
    .option('--print', 'print the command instead; the lend then lasts until its time is over')
    .option('-q, --quiet', 'do not say what is lent')
    .addHelpText(
      'after',
      `
The image needs Git 2.39 or newer. Examples:
  vouch lend docker --repo demo -- -v "$PWD:/work" -w /work alpine/git fetch
  vouch lend docker --repo demo --name dev --for 8h --print -- IMAGE
`,
    )
    .passThroughOptions()
    .action(lazily(async () => (await import('./commands/lend-docker.ts')).lendDocker));

  program
    .command('console')
    .description("sign your browser in to AWS's console with the role of a profile")
    .addOption(profile())
    .addOption(region())
    .option('--print', 'print the address instead: whoever opens it in the next 15 minutes has the role')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/console.ts')).openConsole));

  const config = program
    .command('config')
    .description('show and change your settings')
    .addHelpText(
      'after',
      `
Settings:
  server     the URL of your Vouch server; enroll and login set it
  autoLogin  whether Git may start a login when it needs one:
               auto    when it runs on a terminal, and not in CI (the default)
               always  also without a terminal, for editors that run Git
               never   not at all; Git then says to run \`vouch login\`
  callbackPort  the port of 127.0.0.1 that the browser comes back to at a login,
             such as one that your SSH forwards; by default any free one
`,
    );

  config
    .command('get <setting>')
    .description('print the value of a setting; status 1 if it has none')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/config.ts')).configGet));

  config
    .command('set <setting> <value>')
    .description('change a setting')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/config.ts')).configSet));

  config
    .command('unset <setting>')
    .description('go back to the default')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/config.ts')).configUnset));

  config
    .command('list')
    .description('show all settings')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/config.ts')).configList));

  program
    .command('doctor')
    .description('find out what stands between you and a repository, and what to do about it')
    .argument('[url]', "a repository's URL or a remote's name (default: the remote of the repository here)")
    .addOption(json())
    .option(
      '--fix',
      'do what is safe (Git config, starting the agent), after showing it; never touches AWS or the server',
    )
    .option('--yes', 'with --fix: do not ask (without a terminal it never asks)')
    .option('--try-regions', 'look for a repository that is not found in the regions of your other profiles')
    .addHelpText(
      'after',
      `
Checks what a fetch and a push need, first what other checks depend on. It
changes nothing, neither here nor in the repository. Status 0 when no check has
failed (a warning is not a failure), 1 when one has, 2 for wrong usage.

--fix first shows what it would change. On a terminal it then asks, unless you
say --yes. Without a terminal, or with --json, nobody can be asked, and it makes
the change. \`vouch setup codecommit --remove\` takes away what it has set up.
`,
    )
    .action(lazily(async () => (await import('./commands/doctor.ts')).doctor));

  const agent = program
    .command('agent')
    .description('the program in the background that keeps the session, in memory only');

  agent
    .command('start')
    .description('start it, unless it is running (`vouch login` does that by itself)')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/agent.ts')).agentStart));

  agent
    .command('stop')
    .description('end it, and the session with it')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/agent.ts')).agentStop));

  agent
    .command('status')
    .description('show whether it is running')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/agent.ts')).agentStatusCommand));

  agent
    .command('logs')
    .description(
      'show what it has done and why; it keeps the last 500 entries, in memory only, and no secret is in them',
    )
    .addOption(json())
    .option('-f, --follow', 'go on with new entries, until Ctrl-C')
    .action(lazily(async () => (await import('./commands/agent-logs.ts')).agentLogsCommand));

  agent
    .command('install')
    .description('make it a service of systemd or launchd')
    .option('--force', 'end a running session, and replace files that were changed')
    .option('--dry-run', 'show what would be written, and write nothing')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/agent-service.ts')).agentInstall));

  agent
    .command('uninstall')
    .description('undo `install`; the session ends')
    .option('--force', 'also remove files that were changed')
    .addOption(json())
    .action(lazily(async () => (await import('./commands/agent-service.ts')).agentUninstall));

  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    if (command.commands.length > 0) addHelp(command);
    else sayWhereHelpIs(command);
  }
  return program;
}
