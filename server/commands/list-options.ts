import { type Command, InvalidArgumentError, Option } from 'commander';
import type { PageRequest } from '../store/page.ts';

/** The values of the options that every list has. */
export interface ListOptions {
  limit?: number;
  after?: string;
  json?: boolean;
}

const MOST = 1_000;

/** How many rows a person looks at. */
const ON_TERMINAL = 50;

/** Adds the options that every list has. */
export function addListOptions(command: Command): Command {
  return command
    .option(
      '--limit <number>',
      `how many to list, at most ${MOST} (by default ${ON_TERMINAL} on a terminal)`,
      wholeNumber(1, MOST),
    )
    .option('--after <cursor>', 'go on after the page that ended with this')
    .option('--json', 'print JSON');
}

/** The page that these options ask for: a program gets longer ones than a person. */
export function pageOfOptions({ limit, after }: ListOptions): PageRequest {
  return { limit: limit ?? (process.stdout.isTTY ? ON_TERMINAL : MOST), after };
}

/** An option that takes a whole number. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d{1,6}$/.test(value) || number < least || number > most) {
      throw new InvalidArgumentError(`It should be a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

/** The option `--search`. */
export function searchOption(): Option {
  return new Option('--search <text>', 'only addresses that contain this').argParser((value) => {
    if (value === '' || value.length > 64) throw new InvalidArgumentError('It should have 1 to 64 characters.');
    return value;
  });
}

/** An option's days as a moment, in milliseconds since the epoch. */
export function daysAgo(days: number | undefined, now: number): number | undefined {
  return days === undefined ? undefined : now - days * 24 * 3600_000;
}
