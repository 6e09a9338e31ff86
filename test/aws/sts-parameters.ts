import { AwsError } from './aws-error.ts';

/** The constraints of a parameter: lengths in characters, and a pattern from the service's model. */
export interface Constraint {
  min: number;
  max: number;
  pattern?: RegExp;
  /** Errors do not show its value. */
  secret?: boolean;
}

/** Patterns of STS's model. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const patterns = {
  sessionName: /^[\w+=,.@-]*$/,
  externalId: /^[\w+=,.@:/-]*$/,
  tagKey: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u,
  tagValue: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
};

/** Reads the form of a query request. Collects the constraints that its values violate, and names all in one error, like AWS. */
export class Parameters {
  readonly #form: URLSearchParams;
  readonly #failures: string[] = [];

  constructor(form: URLSearchParams) {
    this.#form = form;
  }

  /** A required text. @param name as in the request: `RoleArn` */
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

  /** `DurationSeconds`: 900 to 43200, an hour by default. The role's own limit is checked later. */
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

  /** The numbers of a list's members: `Tags.member.1.Key`, `Tags.member.2.Key`, … */
  members(list: string, maximum: number): number[] {
    const numbers = [...this.#form.keys()].flatMap((key) => {
      const number = new RegExp(`^${list}\\.member\\.(\\d{1,4})(?:\\.|$)`).exec(key)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
    const members = [...new Set(numbers)].sort((a, b) => a - b);
    if (members.length > maximum) this.#fail(list, '', `have length less than or equal to ${maximum}`);
    return members;
  }

  /** Refuses parameters that the local STS does not support, instead of ignoring them. */
  refuse(...names: string[]): void {
    const found = [...this.#form.keys()].find((key) => names.includes(key.split('.')[0] ?? ''));
    if (found !== undefined) throw new AwsError('NotImplemented', `The local STS does not support ${found}.`, 501);
  }

  /** Throws if any constraint was violated. */
  check(): void {
    if (this.#failures.length === 0) return;
    const count = `${this.#failures.length} validation error${this.#failures.length === 1 ? '' : 's'} detected`;
    throw new AwsError('ValidationError', `${count}: ${this.#failures.join('; ')}`);
  }

  #fail(name: string, shown: string | undefined, constraint: string): void {
    // In the service's model, members begin with a small letter.
    const member = `${name[0]?.toLowerCase()}${name.slice(1)}`;
    this.#failures.push(
      `Value ${shown ?? 'null '}at '${member}' failed to satisfy constraint: Member must ${constraint}`,
    );
  }
}
