import type { Visit } from './check.ts';
import { type GitOutcome, gitOutcome } from './git-outcome.ts';
import { runGitWatched, type WatchedAnswer } from './git-process.ts';
import { addressOf, type Target } from './target-repository.ts';

/** How Git's real request to the repository ended. */
export interface GitResult {
  answer: WatchedAnswer;
  outcome: GitOutcome;
  /** Whether Git has asked Vouch's helper; undefined when Git left no trace. */
  askedVouch: boolean | undefined;
}

const known = new WeakMap<Visit, Partial<Record<'pull' | 'push', Promise<GitResult>>>>();

/** Sends the first request of a pull, once per visit. */
export function tryPull(visit: Visit): Promise<GitResult> {
  return once('pull', visit, () => listToPull(visit, (visit.target as Target).url));
}

/** Sends the first request of a push, once per visit. */
export function tryPush(visit: Visit): Promise<GitResult> {
  return once('push', visit, () => listToPush(visit, visit.target as Target));
}

function once(what: 'pull' | 'push', visit: Visit, ask: () => Promise<GitResult>): Promise<GitResult> {
  const results = known.get(visit) ?? {};
  known.set(visit, results);
  results[what] ??= ask();
  return results[what];
}

/** `git ls-remote`: upload-pack's list of refs, for which codecommit:GitPull is needed. */
export async function listToPull(visit: Visit, url: string, settings: readonly string[] = []): Promise<GitResult> {
  return resultOf(await runGitWatched([...settings, 'ls-remote', '--', url], visit));
}

/**
 * The list of refs of receive-pack, for which codecommit:GitPush is needed. We ask Git's own remote helper for the list
 * (gitremote-helpers(7), `list for-push`), as `git push` does before it sends anything. Nothing can be written: we never send the
 * command `push`.
 */
async function listToPush(visit: Visit, { url, scheme }: Target): Promise<GitResult> {
  const args = [`remote-${scheme}`, url, addressOf(url)];
  return resultOf(await runGitWatched(args, { ...visit, input: 'list for-push\n\n' }));
}

function resultOf(answer: WatchedAnswer): GitResult {
  // The helper may have any path and any options (vouch-helper.ts).
  const asks = (command: string) => /\bcredential-vouch\b.* get$/s.test(command);
  return { answer, outcome: gitOutcome(answer), askedVouch: answer.started?.some(asks) };
}
