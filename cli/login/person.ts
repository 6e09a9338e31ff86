import { readConfig } from '../config.ts';
import { isInBackground } from './foreground.ts';

/**
 * Whether somebody is there to touch a key: standard error is a terminal that this process has, or `vouch config set autoLogin
 * always` says so for editors, which have none. Never in CI, whose runners may well have a terminal, nor for a job in a shell's
 * background; `GIT_TERMINAL_PROMPT=0` (git(1)) means a script where nothing else was said. GCM_INTERACTIVE is what programs
 * that fetch by themselves already tell the helpers of others (Git Credential Manager, environment.md).
 *
 * @throws Problem `config` when the settings cannot be read
 */
export function personIsThere(stderr: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (!/^(|0|false)$/i.test(env.CI ?? '')) return false;
  if (env.GCM_INTERACTIVE && wantsSilence(env.GCM_INTERACTIVE)) return false;
  const { autoLogin = 'auto' } = readConfig(env);
  if (autoLogin === 'never') return false;
  const onTerminal = stderr.isTTY === true;
  // As Git reads a boolean in its environment.
  const asking = !/^(|0|false|no|off)$/i.test(env.GIT_TERMINAL_PROMPT ?? '1');
  if (autoLogin === 'auto' && !(asking && onTerminal)) return false;
  return !(onTerminal && isInBackground());
}

/** Whether a value of `credential.interactive` (git-config(1)) or GCM_INTERACTIVE forbids to ask anybody. */
export function wantsSilence(value: string | undefined): boolean {
  // As Git reads a boolean, and what Git Credential Manager takes besides.
  return value !== undefined && /^(0|false|no|off|never|)$/i.test(value.trim());
}
