import { InvalidArgumentError, Option } from 'commander';
import { readPort } from '../network/port.ts';

/** Options that several commands have, or whose values are parsed. */

export const server = () => new Option('--server <url>', 'the Vouch server, such as https://vouch.example.com');
export const json = () => new Option('--json', 'print JSON, for scripts');
export const yes = () => new Option('--yes', 'do it without a question, for scripts');
export const profile = () =>
  new Option('--profile <name>', 'the AWS profile of Vouch whose role it is (default: AWS_PROFILE, or the only one)');
export const region = () =>
  new Option('--region <region>', "the region to work in (default: AWS_REGION, or the profile's)");
export const noBrowser = () => new Option('--no-browser', 'only print the address to open');
export const timeout = (seconds = 300) =>
  new Option('--timeout <seconds>', 'the longest wait for your touch').default(seconds).argParser(positiveSeconds);
export const paste = () =>
  new Option('--paste', 'the browser cannot come back here: paste the code that its page shows').conflicts('port');
export const port = () =>
  new Option('--port <port>', 'the port of 127.0.0.1 that the browser comes back to (default: any free one)').argParser(
    portNumber,
  );

function portNumber(value: string): number {
  const port = readPort(value);
  if (port === undefined) throw new InvalidArgumentError('It should be a number from 1 to 65535.');
  return port;
}

function positiveSeconds(value: string): number {
  const seconds = Number(value);
  if (!/^\d+(\.\d+)?$/.test(value) || seconds <= 0 || seconds > 3600) {
    throw new InvalidArgumentError('It should be a number of seconds, more than 0 and at most 3600.');
  }
  return seconds;
}
