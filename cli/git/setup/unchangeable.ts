import { Problem } from '../../problem/problem.ts';

/** The Problem `config-file`: one of Git's files cannot be read or written. */
export function unchangeable(file: string, why: string, cause?: unknown): Problem {
  return new Problem(
    {
      kind: 'config-file',
      what: `${file} cannot be changed.`,
      why,
      fix: 'Check its owner and mode (the --system one needs root), or choose another with --global or --local.',
    },
    { cause },
  );
}
