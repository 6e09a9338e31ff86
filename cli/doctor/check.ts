import type { AgentStatus } from '../agent/protocol.ts';
import type { VouchProfile } from '../aws/config/profiles.ts';
import type { CredentialConfig } from '../git/effective-config.ts';
import type { Repair } from './repair.ts';
import type { Target } from './target.ts';

/** The checks, by the names that scripts see. They never change; new ones may come. */
export type CheckId =
  | 'node'
  | 'git'
  | 'vouch'
  | 'helper'
  | 'remote-helper'
  | 'agent'
  | 'session'
  | 'server'
  | 'remote'
  | 'profile'
  | 'id-token'
  | 'sts'
  | 'git-config'
  | 'submodules'
  | 'pull'
  | 'push';

/** Something that a check has found out, and that a person should know. */
export interface Finding {
  /** `<check>.<what>`, for scripts: it never changes. */
  id: string;
  /** A trouble fails its check; a warning does not. */
  severity: 'trouble' | 'warning';
  /** What is so, a sentence. */
  what: string;
  /** Why, and what it was seen by, one line each. */
  why?: string[];
  /** What a person can do about it, one step each. */
  steps?: string[];
  /** What `--fix` does about it. */
  repair?: Repair | undefined;
}

/** What a check says when it was tried. */
export interface Outcome {
  /** The rest of its line: what was found, as short as can be. */
  says: string;
  /** More that is worth seeing when all is well, one line each: a token's claims, Git's helpers in their order. */
  details?: string[];
  findings?: Finding[];
  /** The same for programs; nothing secret. */
  data?: Record<string, unknown>;
}

/** What the checks have found out so far, for those after them. */
export interface Facts {
  gitVersion?: { text: string; major: number; minor: number };
  server?: string;
  agent?: AgentStatus;
  profile?: VouchProfile;
  profiles?: VouchProfile[];
  claims?: Record<string, unknown>;
  identity?: { account: string; arn: string };
  credentials?: CredentialConfig;
  /** Whether AWS refused a pull and would take a push, which then is a check of its own. */
  pushDespitePull?: boolean;
  /** Whether Git's configuration names the helper by its absolute path, or should. */
  absoluteHelper?: boolean;
}

/** One run of the doctor: where it looks, and what it knows. */
export interface Visit {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** The repository in question, when there is one. */
  target: Target | undefined;
  /** Whether a repository that is not found is looked for in the regions of the other profiles. */
  tryRegions: boolean;
  /** Aborted at Ctrl-C. */
  signal: AbortSignal;
  facts: Facts;
}

export interface Check {
  id: CheckId;
  /** What its line begins with. */
  title: string;
  /** The checks that it cannot do without: when one of them has failed, this one is not tried. */
  needs: (visit: Visit) => readonly CheckId[];
  /** Whether there is anything to check; always, unless told. */
  applies?: (visit: Visit) => boolean | Promise<boolean>;
  run: (visit: Visit) => Promise<Outcome>;
}

/** A check's result. */
export type Result = { id: CheckId; title: string } & (
  | ({ status: 'ok' | 'warning' | 'failed' } & Outcome & { findings: Finding[] })
  | { status: 'not-tried'; waitsFor: CheckId[]; findings: Finding[] }
);
