import { type AwsVariables, awsVariables } from '../../aws/variables.ts';
import { Problem } from '../../problem/problem.ts';
import { assignment } from '../../prompt/variables.ts';
import type { Io } from '../../terminal/io.ts';
import { jsonText } from '../../text/json-text.ts';
import type { EnvironmentFormat } from '../environment-formats.ts';
import { chosenCredentials, type ProfileOptions } from '../profile-credentials.ts';

export interface EnvOptions extends ProfileOptions {
  /** By default `shell`; `docker` is for `docker run --env-file`. */
  format?: EnvironmentFormat;
  /** The same as the format of that name. */
  json?: boolean;
  /** Prints on a terminal too. */
  show?: boolean;
}

/** `vouch env`: prints a profile's AWS credentials as variables, for a shell to evaluate or a program to read. */
export async function env({ json = false, show = false, ...options }: EnvOptions, io: Io): Promise<number> {
  const format = options.format ?? (json ? 'json' : 'shell');
  // Before AWS is asked for anything.
  if (io.stdout.isTTY && !show) throw onTerminal(format);
  const { region, credentials } = await chosenCredentials(options, io.env);
  io.stdout.write(environmentText(awsVariables(credentials, region, io.env), format));
  return 0;
}

/** Secrets on a screen stay in its scrollback, and whoever looks on reads them. Mostly `eval` was forgotten. */
function onTerminal(format: EnvironmentFormat): Problem {
  return new Problem({
    kind: 'usage',
    what: 'This would show secrets on your terminal.',
    fix: `${usages[format]}, or add \`--show\` to see them all the same.`,
  });
}

const usages: Readonly<Record<EnvironmentFormat, string>> = {
  shell: 'Run `eval "$(vouch env)"`',
  fish: 'Run `vouch env --format fish | source`',
  docker: 'Run `docker run --env-file <(vouch env --format docker) …`',
  json: 'Let a program read them, such as `vouch env --json | jq …`',
};

/**
 * Variables as text.
 *
 * @param format `shell` and `fish` take the caller's other credentials away, too
 */
export function environmentText({ set, unset }: AwsVariables, format: EnvironmentFormat): string {
  const entries = Object.entries(set);
  switch (format) {
    case 'json':
      return `${jsonText(set)}\n`;
    case 'docker':
      // Docker takes all after the `=` as it is. AWS's values hold no line break, and requests for them would not hold one either.
      return entries.map(([name, value]) => `${name}=${value.replace(/[\r\n]/g, '')}\n`).join('');
    case 'shell':
      return [
        ...unset.map((name) => `unset ${name}\n`),
        ...entries.map(([name, value]) => `export ${assignment(name, value, 'shell')}`),
      ].join('');
    case 'fish':
      return [
        // Only from this shell: without the scope, fish might erase a universal variable, from all shells and for ever.
        ...unset.map((name) => `set -eg ${name}\n`),
        ...entries.map(([name, value]) => assignment(name, value, 'fish').replace(/^set -g /, 'set -gx ')),
      ].join('');
  }
}
