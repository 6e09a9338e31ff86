import { hash } from '../secrets.ts';
import { inGroups, randomTypedCode, readTypedCode } from '../text/typed-code.ts';

/** A new code: 130 bits in groups of six characters. */
export function makeCode(): string {
  return inGroups(randomTypedCode(26), 6);
}

/** The stored form of a code, however somebody typed it. */
export function hashCode(code: string): string {
  return hash(readTypedCode(code));
}
