import { randomBytes } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import { partitionOfRegion } from './hosts.ts';
import { type PolicyDocument, validatePolicy } from './policy.ts';

/** An OpenID Connect provider, as IAM keeps it. */
export interface OidcProvider {
  /** The issuer: `https://…` without a port. On this machine `http://` and a port are possible. */
  url: string;
  /** The audiences that tokens may have. */
  clientIds: string[];
}

/** A role to create. Policies are JSON documents that IAM and CloudFormation would accept. */
export interface RoleOptions {
  name: string;
  /** Begins and ends with a slash; `/` by default. */
  path?: string;
  trustPolicy: PolicyDocument;
  permissionPolicies?: PolicyDocument[];
  /** Seconds, 3600 to 43200; 3600 by default. */
  maxSessionDuration?: number;
}

/** A role in an account. */
export interface Role extends Required<RoleOptions> {
  arn: string;
  /** `AROA…`. A role that is deleted and created again under the same name has another id. */
  id: string;
  /** Policies that were embedded later, by their names. */
  inlinePolicies: Map<string, PolicyDocument>;
}

/** The characters of all inline policies of a role, not counting white space. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const maxInlinePolicies = 10_240;

/** A unique identifier like IAM's: `AROA…`, `ASIA…`, with base 32 after the prefix. */
export function uniqueId(prefix: string, length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join('');
}

/** One AWS account: identity providers, roles and CodeCommit repositories. All of them may change at any time. */
export class Account {
  readonly id: string;
  readonly partition: string;
  readonly #providers = new Map<string, OidcProvider>();
  readonly #roles = new Map<string, Role>();
  readonly #repositories = new Set<string>();

  constructor(id: string, partition = 'aws') {
    if (!/^\d{12}$/.test(id)) throw new AwsError('ValidationError', `An account id has 12 digits, not "${id}".`);
    this.id = id;
    this.partition = partition;
  }

  /** Adds or replaces a provider. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html */
  addProvider(provider: OidcProvider): { arn: string } {
    const url = issuerUrl(provider.url);
    if (url === undefined) throw new AwsError('InvalidInput', `Invalid Open ID Connect Provider URL ${provider.url}`);
    this.#providers.set(withoutScheme(provider.url), { ...provider, clientIds: [...provider.clientIds] });
    return { arn: this.providerArn(provider.url) };
  }

  removeProvider(url: string): void {
    this.#providers.delete(withoutScheme(url));
  }

  /** The provider whose URL is exactly this issuer. */
  provider(issuer: string): OidcProvider | undefined {
    const provider = this.#providers.get(withoutScheme(issuer));
    return provider?.url === issuer ? provider : undefined;
  }

  providerArn(issuer: string): string {
    return `arn:${this.partition}:iam::${this.id}:oidc-provider/${withoutScheme(issuer)}`;
  }

  /** Adds a role, or replaces the one of that name. Sessions of a replaced role become invalid. */
  addRole(options: RoleOptions): Role {
    const { name, path = '/', trustPolicy, permissionPolicies = [], maxSessionDuration = 3600 } = options;
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) throw new AwsError('ValidationError', `"${name}" is not a role name.`);
    if (!/^\/([!-~]+\/)?$/.test(path)) throw new AwsError('ValidationError', `"${path}" is not a path for a role.`);
    if (!Number.isInteger(maxSessionDuration) || maxSessionDuration < 3600 || maxSessionDuration > 43200) {
      throw new AwsError('ValidationError', 'MaxSessionDuration must be 3600 to 43200.');
    }
    this.#validate(trustPolicy, permissionPolicies);
    const role: Role = {
      name,
      path,
      trustPolicy: structuredClone(trustPolicy),
      permissionPolicies: structuredClone(permissionPolicies),
      maxSessionDuration,
      arn: `arn:${this.partition}:iam::${this.id}:role${path}${name}`,
      id: uniqueId('AROA', 17),
      inlinePolicies: new Map(),
    };
    this.#roles.set(name, role);
    return role;
  }

  removeRole(name: string): void {
    this.#roles.delete(name);
  }

  role(name: string): Role | undefined {
    return this.#roles.get(name);
  }

  roleByArn(arn: string): Role | undefined {
    return [...this.#roles.values()].find((role) => role.arn === arn);
  }

  roleById(id: string): Role | undefined {
    return [...this.#roles.values()].find((role) => role.id === id);
  }

  /**
   * Embeds a policy in a role, or replaces the one of that name. It also applies to credentials that the role has already given: "the
   * permissions assigned to temporary security credentials are evaluated each time they are used".
   * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
   */
  putRolePolicy(name: string, policyName: string, policy: PolicyDocument): void {
    const role = this.#existing(name);
    if (!/^[\w+=,.@-]{1,128}$/.test(policyName)) {
      throw new AwsError('ValidationError', `"${policyName}" is not the name of an inline policy.`);
    }
    this.#validate(role.trustPolicy, [policy]);
    const policies = new Map(role.inlinePolicies).set(policyName, structuredClone(policy));
    const characters = [...role.permissionPolicies, ...policies.values()].map((each) => JSON.stringify(each).length);
    if (characters.reduce((sum, each) => sum + each, 0) > maxInlinePolicies) {
      throw new AwsError(
        'LimitExceeded',
        `Maximum policy size of ${maxInlinePolicies} bytes exceeded for role ${name}`,
        409,
      );
    }
    role.inlinePolicies = policies;
  }

  /** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html */
  deleteRolePolicy(name: string, policyName: string): void {
    if (!this.#existing(name).inlinePolicies.delete(policyName)) {
      throw new AwsError('NoSuchEntity', `The role policy with name ${policyName} cannot be found.`, 404);
    }
  }

  /** All policies that decide what a role may do now. @param id the role's `AROA…` */
  policiesOf(id: string): PolicyDocument[] {
    const role = this.roleById(id);
    return role === undefined ? [] : [...role.permissionPolicies, ...role.inlinePolicies.values()];
  }

  /** Replaces a role's policies; the next request uses the new ones. */
  setPolicies(name: string, policies: { trustPolicy?: PolicyDocument; permissionPolicies?: PolicyDocument[] }): void {
    const role = this.#existing(name);
    const { trustPolicy = role.trustPolicy, permissionPolicies = role.permissionPolicies } = policies;
    this.#validate(trustPolicy, permissionPolicies);
    role.trustPolicy = structuredClone(trustPolicy);
    role.permissionPolicies = structuredClone(permissionPolicies);
  }

  /** Records that a repository exists; LocalAws creates it on the disk. */
  addRepository(region: string, name: string): void {
    if (partitionOfRegion(region) !== this.partition) {
      throw new AwsError(
        'UnrecognizedClientException',
        `Account ${this.id} is not in the partition of ${region}.`,
        403,
      );
    }
    if (!repositoryName.test(name) || name.endsWith('.git')) {
      throw new AwsError('InvalidRepositoryNameException', `"${name}" is not a repository name.`);
    }
    this.#repositories.add(`${region}/${name}`);
  }

  removeRepository(region: string, name: string): void {
    this.#repositories.delete(`${region}/${name}`);
  }

  hasRepository(region: string, name: string): boolean {
    return this.#repositories.has(`${region}/${name}`);
  }

  #existing(name: string): Role {
    const role = this.role(name);
    if (role === undefined) throw new AwsError('NoSuchEntity', `The role with name ${name} cannot be found.`, 404);
    return role;
  }

  /** Refuses policies that IAM would not store, for example with ARNs of another partition. */
  #validate(trustPolicy: PolicyDocument, permissionPolicies: readonly PolicyDocument[]): void {
    validatePolicy(trustPolicy, 'trust');
    for (const policy of permissionPolicies) validatePolicy(policy, 'permission');
    for (const statement of [trustPolicy, ...permissionPolicies].flatMap((policy) => policy.Statement)) {
      const { Principal: principal = {}, Resource: resources = [], NotResource: others = [] } = statement;
      const principals = typeof principal === 'object' ? Object.values(principal).flat() : [];
      const elsewhere = (arn: string) => /^arn:(?!\*:)/.test(arn) && !arn.startsWith(`arn:${this.partition}:`);
      const stranger = principals.find(elsewhere);
      if (stranger !== undefined) {
        throw new AwsError('MalformedPolicyDocument', `Invalid principal in policy: "${stranger}"`);
      }
      const resource = [resources, others].flat().find(elsewhere);
      if (resource !== undefined) {
        const [, partition = ''] = resource.split(':');
        throw new AwsError(
          'MalformedPolicyDocument',
          `Partition "${partition}" is not valid for resource "${resource}".`,
        );
      }
    }
  }
}

/** https://docs.aws.amazon.com/codecommit/latest/APIReference/API_RepositoryMetadata.html, without `.` and `..`. */
export const repositoryName = /^(?!\.{1,2}$)[\w.-]{1,100}$/;

/** An issuer's URL without its scheme, as IAM writes it in ARNs and condition keys. */
export const withoutScheme = (issuer: string): string => issuer.replace(/^https?:\/\//, '');

/** The URL of an issuer that AWS would accept, or one on this machine (for the sandbox); otherwise undefined. */
export function issuerUrl(issuer: string): URL | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url === undefined || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    return undefined;
  }
  const isThisMachine = ['localhost', '127.0.0.1'].includes(url.hostname);
  if (isThisMachine) return ['http:', 'https:'].includes(url.protocol) ? url : undefined;
  return url.protocol === 'https:' && url.port === '' ? url : undefined;
}
