import { Problem } from './problem.ts';

/**
 * A setting that is missing or wrong: named, with what it should look like.
 *
 * @param found what it is now, without a secret in it; undefined when it is not set
 */
export function settingRefused(setting: string, found: string | undefined, expected: string): Problem {
  const value = found === undefined ? 'is not set' : `is ${JSON.stringify(found)}`;
  return new Problem({ kind: 'setting-refused', what: `${setting} ${value}; it should be ${expected}` });
}
