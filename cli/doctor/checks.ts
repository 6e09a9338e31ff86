import type { Check } from './check.ts';
import { agent } from './checks/agent.ts';
import { awsDocuments } from './checks/aws-documents.ts';
import { git } from './checks/git.ts';
import { gitConfig } from './checks/git-config.ts';
import { helper } from './checks/helper.ts';
import { idToken } from './checks/id-token.ts';
import { leftovers } from './checks/leftovers.ts';
import { lends } from './checks/lends.ts';
import { node } from './checks/node.ts';
import { profile } from './checks/profile.ts';
import { pull } from './checks/pull.ts';
import { push } from './checks/push.ts';
import { remote } from './checks/remote.ts';
import { remoteHelper } from './checks/remote-helper.ts';
import { server } from './checks/server.ts';
import { session } from './checks/session.ts';
import { sts } from './checks/sts.ts';
import { submodules } from './checks/submodules.ts';
import { vouch } from './checks/vouch.ts';

/** All checks, each after the checks that it depends on. */
export const checks: readonly Check[] = [
  node,
  git,
  vouch,
  helper,
  remoteHelper,
  agent,
  session,
  lends,
  server,
  remote,
  profile,
  idToken,
  awsDocuments,
  sts,
  gitConfig,
  submodules,
  leftovers,
  pull,
  push,
];
