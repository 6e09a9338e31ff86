import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseRepositoryPattern } from '../aws/codecommit/repository-pattern.ts';
import { isBranchPattern } from '../aws/codecommit/session-policy.ts';

/** What is lent, as the options of a command say it. */
export interface LendOptions {
  profile?: string[];
  repo?: string[];
  branch?: string[];
  pullOnly?: boolean;
  /** In seconds. */
  for?: number;
  name?: string;
  aws?: boolean;
}

/** Two hours, in seconds. */
export const usualSeconds = 2 * 3600;

/**
 * Adds the options that say what is lent, for how long, and under which name.
 *
 * @param isHere whether what uses the lend is on this machine; elsewhere nothing reaches the endpoint of `--aws`, and help is silent of it
 */
export function lendOptions(command: Command, { isHere = true } = {}): Command {
  return command
    .addOption(
      new Option('--repo <name>', 'a repository, a pattern such as team-*, or an address; may be repeated').argParser(
        repository,
      ),
    )
    .addOption(new Option('--pull-only', 'to pull only: AWS refuses every push'))
    .addOption(
      new Option('--branch <name>', 'a branch that may be pushed to, or a pattern such as agent/*; may be repeated')
        .argParser(branch)
        .conflicts('pullOnly'),
    )
    .addOption(
      new Option('--for <time>', 'for how long, such as 30m or 8h').default(usualSeconds, '2h').argParser(seconds),
    )
    .addOption(new Option('--profile <name>', 'an AWS profile to lend; may be repeated').argParser(collected))
    .addOption(new Option('--name <name>', "the lend's name (default: a random one)").argParser(lendName))
    .addOption(new Option('--aws', "also lend a credentials endpoint for AWS's tools").hideHelp(!isHere));
}

const collected = (value: string, before: string[] = []): string[] => [...before, value];

function repository(value: string, before?: string[]): string[] {
  if (parseRepositoryPattern(value) !== undefined) return collected(value, before);
  throw new InvalidArgumentError(
    'It should be a name, a pattern of names, or an address such as codecommit::us-east-1://demo.',
  );
}

function branch(value: string, before?: string[]): string[] {
  if (isBranchPattern(value)) return collected(value, before);
  throw new InvalidArgumentError('It should be the name of a branch, such as main or agent/*.');
}

function lendName(value: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,39}$/.test(value)) return value;
  throw new InvalidArgumentError('It should be 1 to 40 small letters, digits and hyphens, with no hyphen first.');
}

/** A time such as 90s, 30m, 2h, 1h30m. */
function seconds(value: string): number {
  const [whole, hours = '0', minutes = '0', rest = '0'] =
    /^(?:(\d{1,3})h)?(?:(\d{1,4})m(?:in)?)?(?:(\d{1,6})s)?$/.exec(value.replaceAll(' ', '')) ?? [];
  const sum = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  if (whole && sum >= 1 && sum <= 7 * 24 * 3600) return sum;
  throw new InvalidArgumentError('It should be a time such as 30m, 2h or 1h30m, and at most a week.');
}
