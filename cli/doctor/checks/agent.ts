import { findAgent } from '../../agent/client/find-agent.ts';
import { startAgent } from '../../agent/client/start.ts';
import { version } from '../../programs.ts';
import { goneProgram } from '../../service/gone-program.ts';
import { clockTime } from '../../text/time.ts';
import type { Check, Finding } from '../check.ts';

/** An agent runs, answers, and has this version. */
export const agent: Check = {
  id: 'agent',
  title: 'Agent',
  needs: () => [],
  run: async ({ env, facts }) => {
    const gone = goneProgram(env);
    const found = await findAgent(env);
    if (found.state !== 'running') {
      if (gone !== undefined) return { says: 'not running', findings: [programGone(gone, 'trouble')] };
      if (found.state === 'hung') throw found.problem;
      return { says: 'not running', findings: [notRunning(env)] };
    }
    facts.agent = found.answer;
    const { pid, startedAt } = facts.agent;
    const findings: Finding[] = gone === undefined ? [] : [programGone(gone, 'warning')];
    if (facts.agent.version !== version) {
      findings.push({
        id: 'agent.other-version',
        severity: 'warning',
        what: `The agent has version ${facts.agent.version}, but this is ${version}.`,
        why: ['It was started before Vouch was updated.'],
        steps: ['It serves until its session ends; the next `vouch login` replaces it.'],
      });
    }
    return {
      says: `running since ${clockTime(new Date(startedAt), new Date())}, process ${pid}`,
      findings,
      data: { pid, version: facts.agent.version, startedAt },
    };
  },
};

function programGone(program: string, severity: Finding['severity']): Finding {
  return {
    id: 'agent.program-gone',
    severity,
    what: `The agent's service cannot start: ${program} no longer exists.`,
    why: ['Node or Vouch has moved since the service was installed, perhaps in an update.'],
    steps: ['Run `vouch agent install`, which writes the service again.'],
  };
}

function notRunning(env: NodeJS.ProcessEnv): Finding {
  return {
    id: 'agent.not-running',
    severity: 'trouble',
    what: 'No vouch agent is running.',
    why: ["Only the agent's memory has the session, so you are not signed in."],
    steps: ['Run `vouch login`, which starts it.'],
    repair: {
      name: 'agent',
      preview: async () => ['start the agent (`vouch agent start`)'],
      apply: async () => {
        await startAgent(env);
      },
    },
  };
}
