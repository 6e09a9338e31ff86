import { expect, test } from 'vitest';
import { UnreachableError } from '../../../web/ui/call.ts';
import { CeremonyError, wantsGesture } from '../../../web/ui/ceremony.ts';

const refused = (name: string, elapsed: number) => new CeremonyError(new DOMException('', name), elapsed, 60_000);

test('a refusal sooner than a person could give one is the browser asking for a press', () => {
  expect(wantsGesture(refused('NotAllowedError', 12))).toBe(true);
  expect(wantsGesture(refused('NotAllowedError', 3_000))).toBe(false);
  expect(wantsGesture(refused('InvalidStateError', 12))).toBe(false);
  expect(wantsGesture(new UnreachableError(undefined))).toBe(false);
});
