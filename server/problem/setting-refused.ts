import { Problem } from './problem.ts';

/**
 * A setting is missing or wrong: names it, and says what it should look like.
 *
 * @param found its present value, without a secret in it; undefined when it is not set
 * @param fix what to do, if that is more than to correct the value
 */
export function settingRefused(setting: string, found: string | undefined, expected: string, fix?: string): Problem {
  const value = found === undefined ? 'is not set' : `is ${JSON.stringify(found)}`;
  return new Problem({
    kind: 'setting-refused',
    what: `${setting} ${value}; it should be ${expected}`,
    ...(fix === undefined ? {} : { fix }),
  });
}
