/** A setting that is missing or wrong: named, with what it should look like. */
export class ConfigError extends Error {
  /** @param found what it is now, without a secret in it; undefined when it is not set */
  constructor(setting: string, found: string | undefined, expected: string) {
    const value = found === undefined ? 'is not set' : `is ${JSON.stringify(found)}`;
    super(`${setting} ${value}; it should be ${expected}`);
    this.name = 'ConfigError';
  }
}
