import { autoLogins, type Config, changeConfig, isAutoLogin, readConfig, serverUrl } from '../../config.ts';
import { readPort } from '../../network/port.ts';
import { Problem } from '../../problem/problem.ts';
import type { Io } from '../../terminal/io.ts';
import { jsonText } from '../../text/json-text.ts';
import { printable } from '../../text/printable.ts';

/** The settings that `vouch config` reads and writes: all but those that Vouch keeps for itself. */
type Name = Exclude<keyof Config, 'people'>;

/** A setting that `vouch config` reads and writes. */
interface Setting {
  /** The value that applies when the setting is not set. */
  byDefault: string | null;
  /** Reads a value as a person typed it; throws Problem `usage`. */
  read: (value: string) => Config;
}

const settings: Record<Name, Setting> = {
  server: { byDefault: null, read: (value) => ({ server: serverUrl(value) }) },
  autoLogin: {
    byDefault: 'auto',
    read: (value) => {
      if (isAutoLogin(value)) return { autoLogin: value };
      throw usage(
        `autoLogin cannot be: ${printable(value, 100)}`,
        `It is one of ${autoLogins.join(', ')}.`,
        'Run `vouch config --help` to see what they mean.',
      );
    },
  },
  callbackPort: {
    byDefault: null,
    read: (value) => {
      const callbackPort = readPort(value);
      if (callbackPort !== undefined) return { callbackPort };
      throw usage(
        `callbackPort cannot be: ${printable(value, 100)}`,
        'It is a number from 1 to 65535.',
        'Run `vouch config --help` to see what it means.',
      );
    },
  },
};

export interface ConfigOptions {
  /** JSON for programs: the command's settings, with null for a setting without a value. */
  json?: boolean;
}

/** `vouch config get`: exit code 1 when the setting has no value. */
export async function configGet(name: string, options: ConfigOptions, io: Io): Promise<number> {
  const value = inForce(io.env)[known(name)];
  if (options.json) tellJson(io, [known(name)]);
  else if (value !== null) io.stdout.write(`${value}\n`);
  return value === null ? 1 : 0;
}

/** `vouch config set`. */
export async function configSet(name: string, value: string, options: ConfigOptions, io: Io): Promise<number> {
  changeConfig(io.env, settings[known(name)].read(value));
  if (options.json) tellJson(io, [known(name)]);
  else io.stdout.write(`${name} is ${inForce(io.env)[known(name)]}\n`);
  return 0;
}

/** `vouch config unset`. A setting that is not set is not an error. */
export async function configUnset(name: string, options: ConfigOptions, io: Io): Promise<number> {
  if (readConfig(io.env)[known(name)] !== undefined) changeConfig(io.env, { [known(name)]: undefined });
  const { byDefault } = settings[known(name)];
  if (options.json) tellJson(io, [known(name)]);
  else io.stdout.write(`${name} is not set${byDefault === null ? '' : `, which means ${byDefault}`}\n`);
  return 0;
}

/** `vouch config list`: every setting, and the value that applies. */
export async function configList(options: ConfigOptions, io: Io): Promise<number> {
  const names = Object.keys(settings) as Name[];
  if (options.json) {
    tellJson(io, names);
    return 0;
  }
  const set = readConfig(io.env);
  const values = inForce(io.env);
  const lines = names.map((name) => {
    const note = set[name] === undefined && values[name] !== null ? ' (default)' : '';
    return `${name.padEnd(13)}${values[name] ?? '(not set)'}${note}\n`;
  });
  io.stdout.write(lines.join(''));
  return 0;
}

/** The value that applies for each setting; null if it has none. */
function inForce(env: NodeJS.ProcessEnv): Record<Name, string | null> {
  const { server, autoLogin, callbackPort } = readConfig(env);
  return {
    server: server ?? settings.server.byDefault,
    autoLogin: autoLogin ?? settings.autoLogin.byDefault,
    callbackPort: callbackPort?.toString() ?? settings.callbackPort.byDefault,
  };
}

function tellJson(io: Io, names: readonly Name[]): void {
  const values = inForce(io.env);
  io.stdout.write(`${jsonText(Object.fromEntries(names.map((name) => [name, values[name]])))}\n`);
}

function known(name: string): Name {
  if (Object.hasOwn(settings, name)) return name as Name;
  throw usage(
    `There is no setting of this name: ${printable(name, 100)}`,
    `The settings are: ${Object.keys(settings).join(', ')}.`,
    'Run `vouch config list` to see what they are.',
  );
}

function usage(what: string, why: string, fix: string): Problem {
  return new Problem({ kind: 'usage', what, why, fix });
}
