import type { Category, ProblemKind } from './kinds.ts';

/** The exit codes of every failed `vouch` command (docs/cli.md). */
export type ExitCode = 1 | 2 | 3 | 4 | 5 | 126 | 127;

const exitCodes: Record<Category, ExitCode> = {
  failed: 1,
  usage: 2,
  'no-session': 3,
  unreachable: 4,
  refused: 5,
};

/** Of commands that run a program, which scripts expect from env(1), shells and docker. */
const ofKinds: Partial<Record<ProblemKind, ExitCode>> = { 'cannot-run': 126, 'no-program': 127 };

export function exitCodeOf(category: Category, kind?: ProblemKind): ExitCode {
  return (kind && ofKinds[kind]) ?? exitCodes[category];
}

/**
 * The category in an agent's answer. An agent of another version may name none, or one that we do not know: then its exit code
 * decides.
 */
export function readCategory(category: unknown, exitCode: unknown): Category {
  const entries = Object.entries(exitCodes) as [Category, ExitCode][];
  const [known] = entries.find(([name]) => name === category) ?? entries.find(([, code]) => code === exitCode) ?? [];
  return known ?? 'failed';
}
