import { AwsError } from './aws-error.ts';

/** One statement, as JSON. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html */
export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Principal?: string | Record<string, string | string[]>;
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, ConditionValue | ConditionValue[]>>;
}
type ConditionValue = string | number | boolean;

/** A policy document, as JSON. */
export interface PolicyDocument {
  Version?: '2012-10-17' | '2008-10-17';
  Id?: string;
  Statement: Statement | Statement[];
}

/** A request that policies are evaluated for. */
export interface PolicyRequest {
  action: string;
  /** For permission policies; a trust policy is attached to its resource. */
  resource?: string;
  /** For trust policies: the ARN of the identity provider that vouches for the caller. */
  federated?: string;
  /** For trust policies without an identity provider: every name that may mean the caller. */
  principals?: readonly string[];
  context: ContextKeys;
}

/** The request's context. Keys ignore case, and hold one or several values. */
export class ContextKeys {
  readonly #values = new Map<string, readonly string[]>();

  /** Sets a key; an undefined value leaves the key missing, as in AWS. */
  set(key: string, value: string | readonly string[] | undefined): this {
    if (value !== undefined) this.#values.set(key.toLowerCase(), typeof value === 'string' ? [value] : value);
    return this;
  }

  get(key: string): readonly string[] | undefined {
    return this.#values.get(key.toLowerCase());
  }
}

const operators = new Set(['StringEquals', 'StringEqualsIgnoreCase', 'StringLike', 'Bool', 'DateLessThan']);
const negated = new Map([
  ['StringNotEquals', 'StringEquals'],
  ['StringNotEqualsIgnoreCase', 'StringEqualsIgnoreCase'],
  ['StringNotLike', 'StringLike'],
]);

const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/**
 * Refuses a document that IAM would not store, and one with elements that this evaluator does not know: an unknown condition
 * must never count as true.
 */
export function validatePolicy(document: PolicyDocument, kind: 'trust' | 'permission'): void {
  const malformed = (why: string) => new AwsError('MalformedPolicyDocument', why);
  if (typeof document !== 'object' || document === null) throw malformed('Syntax errors in policy.');
  if (document.Version !== undefined && !['2012-10-17', '2008-10-17'].includes(document.Version)) {
    throw malformed(`Unknown policy version ${document.Version}.`);
  }
  if (list(document.Statement).length === 0) throw malformed('Syntax errors in policy: there is no Statement.');
  for (const statement of list(document.Statement)) {
    for (const element of Object.keys(statement)) {
      const known = ['Sid', 'Effect', 'Principal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];
      if (!known.includes(element)) throw malformed(`Unknown element ${element}.`);
    }
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw malformed('Effect must be Allow or Deny.');
    if ((statement.Action === undefined) === (statement.NotAction === undefined)) {
      throw malformed('A statement needs Action or NotAction.');
    }
    if (kind === 'trust') {
      if (statement.Principal === undefined) throw malformed('A trust policy needs a Principal.');
      if (statement.Resource !== undefined || statement.NotResource !== undefined) {
        throw malformed('Has prohibited field Resource');
      }
    } else {
      if (statement.Principal !== undefined) throw malformed('Policy document should not specify a principal.');
      if ((statement.Resource === undefined) === (statement.NotResource === undefined)) {
        throw malformed('Policy statement must contain resources.');
      }
    }
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      const { base, quantifier, ifExists } = parseOperator(operator);
      if (base !== 'Null' && !operators.has(base) && !negated.has(base)) {
        throw malformed(`Invalid Condition type : ${operator}.`);
      }
      if (base === 'Null' && (quantifier !== undefined || ifExists)) {
        throw malformed(`Invalid Condition type : ${operator}.`);
      }
      for (const [key, values] of Object.entries(keys)) {
        if (!key.includes(':')) throw malformed(`Condition key ${key} has no prefix.`);
        for (const value of base === 'DateLessThan' ? list(values) : []) {
          if (moment(String(value)) === undefined) throw malformed(`"${value}" is not a date.`);
        }
      }
    }
  }
}

/**
 * Evaluates documents together: an explicit deny beats any allow, and without an allow the request is denied.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(
  documents: readonly PolicyDocument[],
  request: PolicyRequest,
): 'Allow' | 'ExplicitDeny' | 'ImplicitDeny' {
  let allowed = false;
  for (const document of documents) {
    // Policy variables exist since version 2012-10-17; in older documents, and by default, ${…} is plain text.
    const variables = document.Version === '2012-10-17';
    for (const statement of list(document.Statement)) {
      if (!applies(statement, request, variables)) continue;
      if (statement.Effect === 'Deny') return 'ExplicitDeny';
      allowed = true;
    }
  }
  return allowed ? 'Allow' : 'ImplicitDeny';
}

function applies(statement: Statement, request: PolicyRequest, variables: boolean): boolean {
  const { action, resource, federated, principals, context } = request;
  const actionIn = (patterns: string | string[]) =>
    list(patterns).some((pattern) => glob(pattern.toLowerCase()).test(action.toLowerCase()));
  if (statement.Action !== undefined && !actionIn(statement.Action)) return false;
  if (statement.NotAction !== undefined && actionIn(statement.NotAction)) return false;

  if (federated !== undefined) {
    const principal = statement.Principal;
    const named = typeof principal === 'object' ? list(principal.Federated) : [];
    if (!named.includes(federated)) return false;
  }
  if (principals !== undefined) {
    const { Principal: principal } = statement;
    const named = typeof principal === 'object' ? list(principal.AWS) : list(principal);
    if (!named.some((name) => principals.includes(name))) return false;
  }
  if (resource !== undefined) {
    const resourceIn = (patterns: string | string[]) =>
      list(patterns).some((pattern) => matchesPattern(resource, pattern, context, variables));
    if (statement.Resource !== undefined && !resourceIn(statement.Resource)) return false;
    if (statement.NotResource !== undefined && resourceIn(statement.NotResource)) return false;
  }
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) =>
      conditionHolds(operator, context.get(key), list(values).map(String), context, variables),
    ),
  );
}

function parseOperator(operator: string) {
  const match = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/.exec(operator);
  return {
    quantifier: match?.[1] as 'ForAnyValue' | 'ForAllValues' | undefined,
    base: match?.[2] ?? '',
    ifExists: match?.[3] !== undefined,
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
function conditionHolds(
  operator: string,
  actual: readonly string[] | undefined,
  expected: readonly string[],
  context: ContextKeys,
  variables: boolean,
): boolean {
  const { base, quantifier, ifExists } = parseOperator(operator);
  if (base === 'Null') return expected.some((value) => (value.toLowerCase() === 'true') === (actual === undefined));

  const isNegated = negated.has(base);
  const positive = negated.get(base) ?? base;
  if (!operators.has(positive)) throw new AwsError('MalformedPolicyDocument', `Invalid Condition type : ${operator}.`);
  if (actual === undefined || actual.length === 0) {
    // A missing key satisfies only IfExists, ForAllValues and negated operators.
    return ifExists || quantifier === 'ForAllValues' || (quantifier === undefined && isNegated);
  }
  const matches = (value: string) =>
    expected.some((wanted) => matchesValue(positive, value, wanted, context, variables)) !== isNegated;
  if (quantifier === 'ForAnyValue') return actual.some(matches);
  if (quantifier === 'ForAllValues' || isNegated) return actual.every(matches);
  return actual.some(matches);
}

function matchesValue(operator: string, actual: string, wanted: string, context: ContextKeys, variables: boolean) {
  if (operator === 'StringLike') return matchesPattern(actual, wanted, context, variables);
  const text = resolve(wanted, context, variables)
    ?.map((part) => part.text)
    .join('');
  if (text === undefined) return false;
  if (operator === 'DateLessThan') return Number(moment(actual)) < Number(moment(text));
  return operator === 'StringEquals' ? actual === text : actual.toLowerCase() === text.toLowerCase();
}

/**
 * A date of a condition, in milliseconds since 1970: ISO 8601, or seconds since 1970. Undefined if it is neither.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
 */
function moment(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function matchesPattern(actual: string, pattern: string, context: ContextKeys, variables: boolean): boolean {
  const parts = resolve(pattern, context, variables);
  if (parts === undefined) return false;
  const source = parts.map((part) => (part.literal ? escapeRegExp(part.text) : globSource(part.text))).join('');
  return new RegExp(`^${source}$`, 's').test(actual);
}

/**
 * Replaces policy variables: `${key}`, `${key, 'default'}` and the escapes `${*}`, `${?}` and `${$}`. A variable's value is
 * literal text. A key that is missing or has several values makes the comparison fail.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
function resolve(
  value: string,
  context: ContextKeys,
  variables: boolean,
): { text: string; literal: boolean }[] | undefined {
  if (!variables) return [{ text: value, literal: false }];
  const parts: { text: string; literal: boolean }[] = [];
  let end = 0;
  for (const match of value.matchAll(/\$\{([^}]*)\}/g)) {
    parts.push({ text: value.slice(end, match.index), literal: false });
    end = match.index + match[0].length;
    const [, key = '', fallback] = /^\s*([^,]*?)\s*(?:,\s*'([^']*)'\s*)?$/.exec(match[1] ?? '') ?? [];
    if (['*', '?', '$'].includes(key)) {
      parts.push({ text: key, literal: true });
      continue;
    }
    const found = context.get(key);
    const text = found === undefined ? fallback : found.length === 1 ? found[0] : undefined;
    if (text === undefined) return undefined;
    parts.push({ text, literal: true });
  }
  parts.push({ text: value.slice(end), literal: false });
  return parts;
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const globSource = (text: string) => escapeRegExp(text).replaceAll('\\*', '.*').replaceAll('\\?', '.');
const glob = (pattern: string) => new RegExp(`^${globSource(pattern)}$`, 's');
