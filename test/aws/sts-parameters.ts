import { AwsError } from './aws-error.ts';

/** What a parameter must be: lengths in characters, and a pattern of the service's model. */
export interface Constraint {
  min: number;
  max: number;
  pattern?: RegExp;
  /** Its value is not shown. */
  secret?: boolean;
}

/** Patterns of STS's model. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const patterns = {
  sessionName: /^[\w+=,.@-]*$/,
  externalId: /^[\w+=,.@:/-]*$/,
  tagKey: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
  tagValue: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
};

/** Reads the form of a query request. What its values fail to be is collected, and named in one error, as AWS does. */
export class Parameters {
  readonly #form: URLSearchParams;
  readonly #failures: string[] = [];

  constructor(form: URLSearchParams) {
    this.#form = form;
  }

  /** A text that must be there. The name is as the request has it: `RoleArn`. */
  text(name: string, constraint: Constraint): string {
    const value = this.optional(name, constraint);
    if (value === undefined) this.#fail(name, undefined, 'not be null');
    return value ?? '';
  }

  optional(name: string, { min, max, pattern, secret }: Constraint): string | undefined {
    const value = this.#form.get(name) ?? undefined;
    if (value === undefined) return undefined;
    const shown = secret === true ? '' : `'${value}' `;
    if (pattern !== undefined && !pattern.test(value)) {
      this.#fail(name, shown, `satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`);
    }
    if (value.length < min) this.#fail(name, shown, `have length greater than or equal to ${min}`);
    if (value.length > max) this.#fail(name, shown, `have length less than or equal to ${max}`);
    return value;
  }

  /** `DurationSeconds`: 900 to 43200, and an hour unless it is given. The role's own limit comes later. */
  duration(): number {
    const seconds = this.#form.get('DurationSeconds') ?? '3600';
    if (!/^-?\d{1,9}$/.test(seconds)) {
      throw new AwsError('MalformedInput', `DurationSeconds must be an integer, not '${seconds}'`);
    }
    const duration = Number(seconds);
    const shown = `'${seconds}' `;
    if (duration < 900) this.#fail('DurationSeconds', shown, 'have value greater than or equal to 900');
    if (duration > 43_200) this.#fail('DurationSeconds', shown, 'have value less than or equal to 43200');
    return duration;
  }

  /** How many members a list has: `Tags.member.1.Key`, `Tags.member.2.Key`, … */
  members(list: string, maximum: number): number[] {
    const numbers = [...this.#form.keys()].flatMap((key) => {
      const number = new RegExp(`^${list}\\.member\\.(\\d{1,4})(?:\\.|$)`).exec(key)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
    const members = [...new Set(numbers)].sort((a, b) => a - b);
    if (members.length > maximum) this.#fail(list, '', `have length less than or equal to ${maximum}`);
    return members;
  }

  /** Refuses what the local STS does not offer, rather than to do without it. */
  refuse(...names: string[]): void {
    const found = [...this.#form.keys()].find((key) => names.includes(key.split('.')[0] ?? ''));
    if (found !== undefined) throw new AwsError('NotImplemented', `The local STS knows no ${found}.`, 501);
  }

  /** Throws when anything was wrong. */
  check(): void {
    if (this.#failures.length === 0) return;
    const count = `${this.#failures.length} validation error${this.#failures.length === 1 ? '' : 's'} detected`;
    throw new AwsError('ValidationError', `${count}: ${this.#failures.join('; ')}`);
  }

  #fail(name: string, shown: string | undefined, constraint: string): void {
    // The service's model writes members with a small first letter.
    const member = `${name[0]?.toLowerCase()}${name.slice(1)}`;
    this.#failures.push(
      `Value ${shown ?? 'null '}at '${member}' failed to satisfy constraint: Member must ${constraint}`,
    );
  }
}
