/** A command that was called wrongly: what is wrong, why, and how to call it. The program ends with status 2. */
export class UsageError extends Error {
  constructor(what: string, why: string, fix: string) {
    super([what, why, fix].join('\n  '));
    this.name = 'UsageError';
  }
}
