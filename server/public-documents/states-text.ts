import type { PublishedKey } from './documents.ts';

/** Of the keys in some of these states, such as "1 current, 1 next"; empty if there is none. */
export function statesText(
  keys: readonly Pick<PublishedKey, 'state'>[],
  states: readonly PublishedKey['state'][],
): string {
  return states
    .map((state) => [state, keys.filter((key) => key.state === state).length] as const)
    .filter(([, some]) => some > 0)
    .map(([state, some]) => `${some} ${state}`)
    .join(', ');
}
