import type { Explanation } from './explain/explanation.ts';
import type { Status } from './status.tsx';

/** The states that are the same in all ceremonies. `step` goes before the ID where a ceremony has several. */

/** The person signs in with a key that they have. */
export const touchToSignIn: Status = {
  id: 'touching',
  mood: 'touch',
  title: 'Touch your security key',
  text: 'Plug it in. If your browser asks for its PIN, enter it first.',
};

/** The key was touched, and the server has its answer. */
export function verifying(step?: string): Status {
  return { id: idOf('verifying', step), mood: 'rest', title: 'Checking…' };
}

export function failed({ kind, mood, title, advice }: Explanation, step?: string): Status {
  return { id: idOf(kind, step), mood, title, text: advice };
}

function idOf(id: string, step: string | undefined): string {
  return step === undefined ? id : `${step}-${id}`;
}
