import { Problem } from './problem.ts';

/**
 * The Problem `old-node`.
 *
 * @param needed the Node that is needed, such as `24 or newer`
 */
export function oldNode(needed: string): Problem {
  return new Problem({
    kind: 'old-node',
    what: `Vouch needs Node ${needed}, and this is ${process.versions.node}.`,
    fix: 'Install a newer Node, or put it first on your PATH.',
  });
}
