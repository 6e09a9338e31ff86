import { readConfig } from '../config.ts';

/**
 * Whether somebody is there to touch a key: standard error is a terminal, or `vouch config set autoLogin always` says so for
 * editors, which have none. Never in CI, whose runners may well have a terminal; and `GIT_TERMINAL_PROMPT=0` (git(1)) means a
 * script where nothing else was said.
 *
 * @throws Problem `config` when the settings cannot be read
 */
export function personIsThere(stderr: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (!/^(|0|false)$/i.test(env.CI ?? '')) return false;
  const { autoLogin = 'auto' } = readConfig(env);
  if (autoLogin !== 'auto') return autoLogin === 'always';
  // As Git reads a boolean in its environment.
  const asking = !/^(|0|false|no|off)$/i.test(env.GIT_TERMINAL_PROMPT ?? '1');
  return asking && stderr.isTTY === true;
}
