import type { AgentStatus } from '../agent/protocol/messages.ts';
import type { VouchProfile } from '../aws/config/profiles.ts';
import type { CredentialConfig } from '../git/effective-config.ts';
import type { Repair } from './repair.ts';
import type { Target } from './target-repository.ts';

/** The names of the checks, for scripts. A name never changes; later versions may add names. */
export type CheckId =
  | 'node'
  | 'git'
  | 'vouch'
  | 'helper'
  | 'remote-helper'
  | 'agent'
  | 'session'
  | 'lends'
  | 'server'
  | 'remote'
  | 'profile'
  | 'id-token'
  | 'aws-documents'
  | 'sts'
  | 'git-config'
  | 'submodules'
  | 'leftovers'
  | 'pull'
  | 'push';

/** Something that a check has found and a person should know. */
export interface Finding {
  /** `<check>.<what>`, for scripts: it never changes. */
  id: string;
  /** A finding of severity `trouble` fails its check; a warning does not. */
  severity: 'trouble' | 'warning';
  /** What is wrong, a sentence. */
  what: string;
  /** Why, and what shows it, one line each. */
  why?: string[];
  /** What a person can do about it, one step each. */
  steps?: string[];
  /** What `--fix` does about it. */
  repair?: Repair | undefined;
}

/** A check's answer. */
export interface Outcome {
  /** The rest of its line: what was found, in a few words. */
  says: string;
  /** More to see when all is well, one line each: a token's claims, Git's helpers in their order. */
  details?: string[];
  findings?: Finding[];
  /** What was found, for programs; no secrets. */
  data?: Record<string, unknown>;
}

/** What the checks have found out so far, for later checks. */
export interface Facts {
  gitVersion?: { text: string; major: number; minor: number };
  server?: string;
  agent?: AgentStatus;
  profile?: VouchProfile;
  profiles?: VouchProfile[];
  claims?: Record<string, unknown>;
  /** The name of the key that signed the token with these claims. */
  keyId?: string;
  identity?: { account: string; arn: string };
  credentials?: CredentialConfig;
  /** Whether AWS refuses a pull but would take a push. Then the push is checked too. */
  pushDespitePull?: boolean;
  /** Whether Git's configuration names the helper by its absolute path, or ought to. */
  absoluteHelper?: boolean;
}

/** One run of the doctor: what it examines, and what the checks have found out so far. */
export interface Visit {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** The repository in question, if there is one. */
  target: Target | undefined;
  /** Whether to look for a repository that is not found in the regions of the other profiles. */
  tryRegions: boolean;
  /** Aborted at Ctrl-C. */
  signal: AbortSignal;
  facts: Facts;
}

export interface Check {
  id: CheckId;
  /** The beginning of its line. */
  title: string;
  /** The checks that this check depends on. If one of those has failed, this check is not tried. */
  needs: (visit: Visit) => readonly CheckId[];
  /** Whether there is anything to check; by default, always. */
  applies?: (visit: Visit) => boolean | Promise<boolean>;
  run: (visit: Visit) => Promise<Outcome>;
}

/** A check's result. */
export type Result = { id: CheckId; title: string } & (
  | ({ status: 'ok' | 'warning' | 'failed' } & Outcome & { findings: Finding[] })
  | { status: 'not-tried'; waitsFor: CheckId[]; findings: Finding[] }
);
