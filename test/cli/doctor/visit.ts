import type { Facts, Outcome, Visit } from '../../../cli/doctor/check.ts';
import { readTarget } from '../../../cli/doctor/target-repository.ts';
import type { Machine } from '../support.ts';

/** A visit of the doctor to a test's machine. */
export async function visitTo({ env }: Pick<Machine, 'env'>, url?: string, facts: Facts = {}): Promise<Visit> {
  return {
    env,
    cwd: env.HOME ?? '/',
    target: url === undefined ? undefined : await readTarget(url, env),
    tryRegions: false,
    signal: new AbortController().signal,
    facts,
  };
}

/** The names of an outcome's findings. */
export const ids = ({ findings = [] }: Outcome) => findings.map(({ id }) => id);
