import { vouchProfiles } from '../aws/config/profiles.ts';
import { readConfig } from '../config.ts';
import { gitAsksVouch } from '../git/git.ts';
import { startupFile } from '../prompt/startup-file.ts';
import { printable } from '../text/printable.ts';

/** What a machine needs before `vouch login` and `git clone` work, in the order in which a person sets it up. */

/** The steps' names, for scripts. A name never changes; later versions may add names. */
export type StepId = 'server' | 'enrolment' | 'aws' | 'codecommit' | 'prompt';

/** What was found about a step. */
export interface Found {
  done: boolean;
  /** What there is, in a few words; no secrets. */
  says: string;
  /** What a person can run or do; undefined when it is done, or cannot be done. */
  how?: string;
}

export interface Step {
  id: StepId;
  /** The beginning of its line. */
  title: string;
  /** Whether Git works without it. */
  optional: boolean;
  look: (env: NodeJS.ProcessEnv) => Promise<Found>;
}

/** All steps, each after those that it needs. They look at this machine alone, and change nothing. */
export const steps: readonly Step[] = [
  { id: 'server', title: 'Server', optional: false, look: lookForServer },
  { id: 'enrolment', title: 'Key', optional: false, look: lookForEnrolment },
  { id: 'aws', title: 'AWS', optional: false, look: lookForProfile },
  { id: 'codecommit', title: 'Git', optional: false, look: lookAtGit },
  { id: 'prompt', title: 'Prompt', optional: true, look: lookAtPrompt },
];

async function lookForServer(env: NodeJS.ProcessEnv): Promise<Found> {
  const { server } = readConfig(env);
  if (server !== undefined) return { done: true, says: server };
  return { done: false, says: 'no server is known yet', how: '`vouch enroll --server https://…`, with an invitation' };
}

/** Whose key it is, the settings remember from an enrolment or a login here. */
async function lookForEnrolment(env: NodeJS.ProcessEnv): Promise<Found> {
  const { server, people } = readConfig(env);
  const email = server === undefined ? undefined : people?.[server];
  if (email !== undefined) return { done: true, says: `enrolled for ${printable(email, 64)}` };
  return {
    done: false,
    says: 'not used on this machine yet',
    how: '`vouch enroll`, with an invitation; `vouch login`, if your key is enrolled already',
  };
}

async function lookForProfile(env: NodeJS.ProcessEnv): Promise<Found> {
  const profiles = await vouchProfiles(env);
  const [first] = profiles;
  if (first === undefined)
    return { done: false, says: 'no profile yet', how: '`vouch setup aws --role ARN --region REGION`' };
  const only = `profile ${printable(first.name)}: ${first.role.arn}`;
  return { done: true, says: profiles.length === 1 ? only : `${profiles.length} profiles` };
}

async function lookAtGit(env: NodeJS.ProcessEnv): Promise<Found> {
  if (await gitAsksVouch(env)) return { done: true, says: 'asks Vouch for CodeCommit' };
  return { done: false, says: 'does not ask Vouch yet', how: '`vouch setup codecommit`' };
}

async function lookAtPrompt(env: NodeJS.ProcessEnv): Promise<Found> {
  const startup = startupFile(env);
  if (startup === undefined) {
    const shell = env.SHELL ? `nothing for ${printable(env.SHELL, 64)}` : 'SHELL does not name your shell';
    return { done: true, says: `${shell}; \`vouch init\` is for bash, zsh and fish` };
  }
  const { file, line, hasIt } = startup;
  if (hasIt !== undefined) return { done: true, says: `shows the session, by ${printable(hasIt)}` };
  return { done: false, says: 'does not show the session', how: `this line in ${printable(file)}: ${line}` };
}
