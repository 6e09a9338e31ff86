import { asProblem } from '../problem/problem.ts';
import type { Check, CheckId, Outcome, Result, Visit } from './check.ts';
import { problemAsFinding } from './problem-as-finding.ts';

/** Hears when checks begin and end. */
export interface Listener {
  /** A check begins. */
  starts?(check: Check): void;
  /** A check has its result. */
  ends?(result: Result): void;
}

/**
 * Runs the checks in their order. If a check failed or was not tried, the checks that depend on it are not tried: they could only
 * fail for the same reason.
 *
 * @param checks each after the checks that it depends on
 * @throws the reason of the visit's signal, once it is aborted
 */
export async function examine(checks: readonly Check[], visit: Visit, listener: Listener = {}): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of checks) {
    if (check.applies && !(await check.applies(visit))) continue;
    const waitsFor = failedNeeds(check.needs(visit), results);
    const { id, title } = check;
    let result: Result;
    if (waitsFor.length > 0) {
      result = { id, title, status: 'not-tried', waitsFor, findings: [] };
    } else {
      listener.starts?.(check);
      const outcome = await attempt(check, visit);
      visit.signal.throwIfAborted();
      result = { id, title, status: statusOf(outcome), ...outcome };
    }
    results.push(result);
    listener.ends?.(result);
  }
  return results;
}

function failedNeeds(needs: readonly CheckId[], results: readonly Result[]): CheckId[] {
  const bad = (id: CheckId) =>
    results.some((result) => result.id === id && (result.status === 'failed' || result.status === 'not-tried'));
  return needs.filter(bad);
}

async function attempt(check: Check, visit: Visit): Promise<Outcome & { findings: NonNullable<Outcome['findings']> }> {
  try {
    const outcome = await check.run(visit);
    return { ...outcome, findings: outcome.findings ?? [] };
  } catch (error) {
    // A Problem has all parts of a finding. asProblem turns any other error, a bug, into one.
    const problem = asProblem(error);
    return { says: problem.what, findings: [problemAsFinding(`${check.id}.${problem.kind}`, problem)] };
  }
}

function statusOf({ findings }: { findings: NonNullable<Outcome['findings']> }): 'ok' | 'warning' | 'failed' {
  if (findings.some(({ severity }) => severity === 'trouble')) return 'failed';
  return findings.length > 0 ? 'warning' : 'ok';
}
