import { readConfig } from '../config.ts';
import { isInBackground } from './foreground.ts';

/**
 * Whether a person is there to touch a key: standard error is this process's terminal, or the setting autoLogin is `always`, for
 * editors, which have no terminal. There is no person in CI, even if its runner has a terminal, nor for a background job of a
 * shell. `GIT_TERMINAL_PROMPT=0` (git(1)) means a script, unless the setting is `always`. Programs that fetch by themselves
 * already set GCM_INTERACTIVE for other helpers (Git Credential Manager, environment.md).
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

/** Whether a value of `credential.interactive` (git-config(1)) or GCM_INTERACTIVE forbids questions. */
export function wantsSilence(value: string | undefined): boolean {
  // Git's booleans, and what Git Credential Manager understands besides.
  return value !== undefined && /^(0|false|no|off|never|)$/i.test(value.trim());
}
