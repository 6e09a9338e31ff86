import type { Account, OidcProvider, Role, RoleOptions } from './accounts.ts';
import { AwsError } from './aws-error.ts';
import type { PolicyDocument } from './policy.ts';

/**
 * Creates what a CloudFormation template (JSON) describes, as a stack in this account would: OpenID Connect providers, roles, and
 * policies that are embedded in roles. Refuses a template with an unknown part, and then creates nothing.
 *
 * @returns the roles, in the template's order
 * @throws AwsError with CloudFormation's code ValidationError, or with IAM's code if IAM refuses a part
 */
export function createStack(account: Account, template: string): Role[] {
  const { Resources } = object(parse(template), 'the template', {
    required: ['Resources'],
    optional: ['AWSTemplateFormatVersion', 'Description', 'Outputs'],
  });
  const resources = Object.entries(object(Resources, 'Resources'));
  const made = resources.map(([name, resource]) => read(name, resource, Object.keys(Resources as object)));
  for (const { provider } of made) if (provider) account.addProvider(provider);
  const roles = made.flatMap(({ role }) => (role ? [account.addRole(role)] : []));
  for (const { policy } of made) if (policy) account.putRolePolicy(policy.role, policy.name, policy.document);
  return roles;
}

interface Resource {
  provider?: OidcProvider;
  role?: RoleOptions;
  policy?: { role: string; name: string; document: PolicyDocument };
}

function read(name: string, resource: unknown, names: string[]): Resource {
  if (!/^[A-Za-z0-9]{1,255}$/.test(name))
    throw invalid(`Template format error: Resource name ${name} is non alphanumeric.`);
  const { Type, Properties, DependsOn } = object(resource, name, {
    required: ['Type', 'Properties'],
    optional: ['DependsOn'],
  });
  for (const other of list(DependsOn ?? [])) {
    if (!names.includes(text(other, 'DependsOn'))) throw invalid(`Unresolved resource dependencies [${other}].`);
  }
  plain(Properties, name);
  if (Type === 'AWS::IAM::OIDCProvider') {
    const { Url, ClientIdList } = object(Properties, name, { required: ['Url', 'ClientIdList'] });
    return { provider: { url: text(Url, 'Url'), clientIds: list(ClientIdList).map((id) => text(id, 'ClientIdList')) } };
  }
  if (Type === 'AWS::IAM::Role') {
    const properties = object(Properties, name, {
      required: ['RoleName', 'AssumeRolePolicyDocument'],
      optional: ['Description', 'Policies', 'MaxSessionDuration'],
    });
    return {
      role: {
        name: text(properties.RoleName, 'RoleName'),
        trustPolicy: properties.AssumeRolePolicyDocument as PolicyDocument,
        permissionPolicies: list(properties.Policies ?? []).map((policy) => {
          return object(policy, 'Policies', { required: ['PolicyName', 'PolicyDocument'] })
            .PolicyDocument as PolicyDocument;
        }),
        ...(properties.MaxSessionDuration === undefined
          ? {}
          : { maxSessionDuration: Number(properties.MaxSessionDuration) }),
      },
    };
  }
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-rolepolicy.html
  if (Type === 'AWS::IAM::RolePolicy') {
    const properties = object(Properties, name, { required: ['RoleName', 'PolicyName', 'PolicyDocument'] });
    return {
      policy: {
        role: text(properties.RoleName, 'RoleName'),
        name: text(properties.PolicyName, 'PolicyName'),
        document: properties.PolicyDocument as PolicyDocument,
      },
    };
  }
  throw invalid(`The local AWS does not support the resource type ${Type}.`);
}

/** Refuses intrinsic functions, which this AWS cannot evaluate. `${…}` in plain text stays as it is, as in CloudFormation. */
function plain(value: unknown, where: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (/^(Ref|Condition)$/.test(key) && typeof inner === 'string') throw invalid(`${where} uses ${key}.`);
    if (key.startsWith('Fn::')) throw invalid(`${where} uses ${key}.`);
    plain(inner, where);
  }
}

function parse(template: string): unknown {
  try {
    return JSON.parse(template);
  } catch (error) {
    throw invalid(`Template format error: JSON not well-formed. ${(error as Error).message}`);
  }
}

/** The value as an object; throws unless it has all required keys and no unknown ones. */
function object(
  value: unknown,
  where: string,
  keys?: { required: string[]; optional?: string[] },
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${where} is not an object.`);
  const missing = keys?.required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) throw invalid(`${where} has no ${missing}.`);
  const unknown = keys && Object.keys(value).find((key) => ![...keys.required, ...(keys.optional ?? [])].includes(key));
  if (unknown !== undefined) throw invalid(`${where} has ${unknown}, which the local AWS does not support.`);
  return value as Record<string, unknown>;
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string') throw invalid(`${where} is not text.`);
  return value;
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

const invalid = (why: string) => new AwsError('ValidationError', why);
