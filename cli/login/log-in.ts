import { type FoundAgent, findAgent } from '../agent/client/find-agent.ts';
import { endIfHung, handOverSession } from '../agent/client/hand-over.ts';
import { type AgentAhead, startAgentAhead } from '../agent/client/start.ts';
import type { NewSession } from '../agent/protocol/messages.ts';
import { prepareNetwork } from '../network/proxies-and-certificates.ts';
import { asProblem, type Problem } from '../problem/problem.ts';
import type { ProgressLine } from '../terminal/progress-line.ts';
import { keyLabel } from '../text/key-label.ts';
import { clockTime, duration } from '../text/time.ts';
import { type SignInPage, signIn } from './browser-flow.ts';
import { sshTunnel, wayBack } from './callback/ssh-tunnel.ts';
import { openBrowser } from './open-browser.ts';
import { signInByPaste } from './paste/flow.ts';
import type { SignedIn } from './redeem.ts';
import { checkPerson, rememberPerson } from './same-person.ts';
import { forgetUnanswered } from './unanswered.ts';

/** How long the server may take before the person is told what we wait for, in milliseconds. */
const soon = 1000;

export interface LogInOptions {
  env: NodeJS.ProcessEnv;
  /** The server's issuer URL. */
  server: string;
  /** The agent's state, if findAgent has just found it; by default it is called here. */
  found?: FoundAgent | undefined;
  /** False when the person opens the page themselves. */
  browser: boolean;
  /** The port of 127.0.0.1 that the browser comes back to; by default any free one. */
  port?: number | undefined;
  /** For a browser that cannot come back: the person carries the code here. */
  paste?: PasteDialog | undefined;
  /** Ends the wait (Ctrl-C, the time-out), and its reason is thrown. */
  signal: AbortSignal;
  /** Called with the page, for the followers of this login. */
  onPage?: ((page: SignInPage) => void) | undefined;
  /** Prints which page to open. */
  say: (text: string) => void;
  /** Shows what we wait for. */
  progress: ProgressLine;
  /** Asks whether to keep the session of another person than last time. Without it the session is not kept. */
  keepOther?: ((question: string) => Promise<boolean>) | undefined;
}

/** How the person is asked for the code of a sign-in by paste. */
export interface PasteDialog {
  /** Takes what the person pasted; undefined when nothing comes any more. */
  pasted: () => Promise<string | undefined>;
  /** Tells the person what is wrong with it, and asks again; without it the first wrong code ends the login. */
  again?: ((problem: Problem) => void) | undefined;
}

/**
 * A whole login: opens the browser, waits for the touch, and hands the session to the agent.
 *
 * @throws Problem as prepareNetwork, findAgent, endIfHung, signIn or signInByPaste, checkPerson and handOverSession; `signal.reason` when aborted
 */
export async function logIn(options: LogInOptions): Promise<SignedIn> {
  const { env, server, browser, port, paste, signal, onPage, say, progress, keepOther } = options;
  const handing = { say: (text: string) => progress.say(text), signal };
  prepareNetwork(env);
  const found = options.found ?? (await findAgent(env, { signal }));
  await endIfHung(found, env, handing);
  let agent: AgentAhead | undefined;
  let over = false;
  const { host } = new URL(server);
  const slow = setTimeout(() => progress.show(`Waiting for ${host} …`), soon);
  try {
    const shown = (page: SignInPage) => {
      clearTimeout(slow);
      onPage?.(page);
      const opening = browser && !paste ? `Opening your browser to sign in at ${host}` : 'To sign in, open';
      say(`${opening}\n  ${page.url}\nTouch your key only if the page shows: ${page.words}`);
    };
    // The browser comes first, because the person waits for it.
    const startAgent = () => {
      if (found.state !== 'running') agent = startAgentAhead(env);
    };
    const byPaste = (dialog: PasteDialog) => {
      const onPage = (page: SignInPage) => {
        shown(page);
        progress.end();
        say('Any browser will do, on any machine. Then paste here the code that the page shows.');
        startAgent();
      };
      return signInByPaste({ server, signal, onPage, ...dialog });
    };
    const byCallback = () => {
      const onPage = (page: SignInPage, listening: number, mayPaste: boolean) => {
        shown(page);
        const way = wayBack(listening, env, mayPaste);
        if (!browser || sshTunnel(listening, env)) say(way);
        progress.show('Touch your security key in the browser …');
        if (browser) {
          void openBrowser(page.url, env).then((opened) => {
            if (opened || over) return;
            if (!sshTunnel(listening, env)) progress.say(way);
            progress.show('No browser could be started: open the address above. Waiting for your touch …');
          });
        }
        startAgent();
      };
      return signIn({ server, signal, port, onPage });
    };
    const finished = await (paste ? byPaste(paste) : byCallback());
    const { session } = finished;
    await checkPerson(env, session, keepOther);
    await agent?.started;
    await handOverSession(session, env, handing);
    forgetUnanswered(env);
    remember(env, session, progress);
    return finished;
  } finally {
    over = true;
    clearTimeout(slow);
    agent?.release();
  }
}

/** Remembers whose session it is. The session stays even if that fails. */
function remember(env: NodeJS.ProcessEnv, session: NewSession, progress: ProgressLine): void {
  try {
    rememberPerson(env, session);
  } catch (error) {
    progress.say(asProblem(error).lines().join('\n  '));
  }
}

/** A sentence on who is signed in now, with which key, and for how long, without a full stop. */
export function signedIn({ email, key, expiresAt }: NewSession): string {
  const until = new Date(expiresAt);
  const now = new Date();
  const left = duration(until.getTime() - now.getTime());
  return `Signed in as ${email} with ${keyLabel(key)} until ${clockTime(until, now)}, ${left} from now`;
}
