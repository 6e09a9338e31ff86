import { readTextIfThere } from './files/read-file.ts';
import { replaceFile } from './files/replace-file.ts';
import { checkPath } from './files/safe-path.ts';
import { isLoopbackHttp } from './network/loopback-http.ts';
import { readPort } from './network/port.ts';
import { configFile } from './paths.ts';
import { Problem } from './problem/problem.ts';

/** The content of `~/.config/vouch/config.json`: preferences, never a secret. */
export interface Config {
  /** The server's issuer URL. */
  server?: string;
  /**
   * Whether Git's helper starts a login when one is needed: `auto` (the default) when a person is at the terminal, `always`
   * also without a terminal, for editors, `never` not at all.
   */
  autoLogin?: AutoLogin;
  /** The last person to sign in, by the server's URL. When another person signs in next, the login warns of that. */
  people?: Record<string, string>;
  /** The port of 127.0.0.1 that the browser comes back to at a login; by default any free port. */
  callbackPort?: number;
}

export const autoLogins = ['auto', 'always', 'never'] as const;
export type AutoLogin = (typeof autoLogins)[number];

/**
 * Reads the settings. Without a file there are none.
 *
 * @throws Problem `config` when the file cannot be read, or is not what Vouch writes; `unsafe-folder` when another
 *   user could change it; `no-home`
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const file = configFile(env);
  // Anyone who can write there can choose the server that we ask.
  checkPath(file, "Vouch's settings are not safe");
  let text: string | undefined;
  try {
    text = readTextIfThere(file);
  } catch (error) {
    throw unreadable(file, (error as Error).message);
  }
  if (text === undefined) return {};
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw unreadable(file, 'It is not JSON.');
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw unreadable(file, 'It is not a JSON object.');
  }
  const { server, autoLogin, people, callbackPort } = found as Record<string, unknown>;
  if (server !== undefined && typeof server !== 'string') throw unreadable(file, '"server" is not a URL.');
  if (autoLogin !== undefined && !isAutoLogin(autoLogin)) {
    throw unreadable(file, `"autoLogin" is not one of ${autoLogins.join(', ')}.`);
  }
  if (people !== undefined && !namesPeople(people)) throw unreadable(file, '"people" does not name people.');
  if (callbackPort !== undefined && (typeof callbackPort !== 'number' || !readPort(String(callbackPort)))) {
    throw unreadable(file, '"callbackPort" is not a port.');
  }
  return server === undefined ? (found as Config) : { ...found, server: serverUrl(server) };
}

function namesPeople(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((person) => typeof person === 'string');
}

/** Whether the setting `autoLogin` can have this value. */
export function isAutoLogin(value: unknown): value is AutoLogin {
  return (autoLogins as readonly unknown[]).includes(value);
}

/** Changes these settings and keeps the others; an undefined value removes a setting. A crash leaves the old file or the new one. */
export function changeConfig(env: NodeJS.ProcessEnv, change: Config): void {
  // JSON leaves undefined values out.
  const settings = { ...readConfig(env), ...change };
  replaceFile(configFile(env), `${JSON.stringify(settings, null, 2)}\n`);
}

/**
 * Checks a server's URL and brings it into the issuer's form: an origin, without a trailing slash.
 *
 * @throws Problem `server-url`; `http:` is allowed for `localhost` only
 */
export function serverUrl(value: string): string {
  // Without a scheme, we take the only one that is allowed for this host.
  const scheme = /^localhost(:\d+)?\/?$/.test(value) ? 'http' : 'https';
  const url = URL.parse(value.includes('://') ? value : `${scheme}://${value}`);
  // Not 127.0.0.1: security keys do not sign for IP addresses (Web Authentication, section 5.1.3).
  const secure = url?.protocol === 'https:' || (url?.hostname === 'localhost' && isLoopbackHttp(url));
  if (!secure || url.username || url.password || url.pathname !== '/' || url.search || url.hash) {
    throw new Problem({
      kind: 'server-url',
      what: `This is not the URL of a Vouch server: ${value}`,
      why: 'It should be https:// and a host name (http:// is for localhost only), with nothing after it.',
      fix: 'Ask your administrator for the URL, such as https://vouch.example.com',
    });
  }
  return url.origin;
}

/**
 * The server to talk to: the one on the command line; by default the server of the last enrolment or login.
 *
 * @throws Problem `no-server`
 */
export function chosenServer(env: NodeJS.ProcessEnv, named: string | undefined): string {
  const server = named === undefined ? readConfig(env).server : serverUrl(named);
  if (server !== undefined) return server;
  throw noServer();
}

/** No server is on the command line or in the settings. */
export function noServer(): Problem {
  return new Problem({
    kind: 'no-server',
    what: 'Vouch does not know your server yet.',
    fix: 'With an invitation, run `vouch enroll --server https://…`. If your key is enrolled, run `vouch login --server https://…`.',
  });
}

function unreadable(file: string, why: string): Problem {
  return new Problem({
    kind: 'config',
    what: `Vouch's settings cannot be read: ${file}`,
    why,
    fix: 'Correct the file, or remove it and run `vouch enroll` or `vouch login --server https://…` again.',
  });
}
