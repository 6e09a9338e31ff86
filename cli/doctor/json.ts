import type { Finding, Result } from './check.ts';

/**
 * The results for programs. The names never change, and no secret is in them.
 *
 * @param url the repository's URL
 * @param fixed what `--fix` has changed
 */
export function asJson(results: readonly Result[], url: string | undefined, fixed: readonly string[]) {
  return {
    ok: !results.some(({ status }) => status === 'failed'),
    url: url ?? null,
    fixed,
    checks: results.map((result) => ({
      id: result.id,
      status: result.status,
      ...(result.status === 'not-tried'
        ? { waitsFor: result.waitsFor }
        : { says: result.says, ...(result.data && { data: result.data }) }),
      findings: result.findings.map(findingAsJson),
    })),
  };
}

function findingAsJson({ id, severity, what, why = [], steps = [], repair }: Finding) {
  return { id, severity, what, why, fix: steps, fixable: repair !== undefined };
}
