import * as client from 'openid-client';
import { untilAborted } from '../../network/until-aborted.ts';
import { Problem } from '../../problem/problem.ts';
import type { SignInPage } from '../browser-flow.ts';
import { explainServerError } from '../explain-server-error.ts';
import { discover, fetchKeysAhead } from '../oidc-client.ts';
import { pushRequest } from '../pushed-request.ts';
import { redeem, type SignedIn } from '../redeem.ts';
import { pasteAllowed } from './allowed.ts';
import { readPastedCode } from './read-code.ts';

/** How often a person may paste a code that the server refuses. */
const MOST_REFUSALS = 3;

export interface PasteOptions {
  /** The server's issuer URL. */
  server: string;
  /** Called when the page can be opened. */
  onPage: (page: SignInPage) => void;
  /** Takes what the person pasted; undefined when nothing comes any more. */
  pasted: () => Promise<string | undefined>;
  /** Tells the person what is wrong with it, and asks again; without it the first wrong code ends the sign-in. */
  again?: ((problem: Problem) => void) | undefined;
  /** Ends the wait (Ctrl-C, the time-out), and its reason is thrown. */
  signal: AbortSignal;
}

/**
 * Signs in with a browser that cannot come back: PAR with PKCE, DPoP and `nonce`, as ever, and a redirect URI of the server's own, where
 * its page shows the code for the person to carry. The code is of use only with this process's PKCE verifier (RFC 7636), which also keeps
 * somebody else's code from being taken for ours: `state` and `iss` would be our own here, and prove nothing.
 *
 * @throws Problem `paste-not-allowed`, `code-malformed`, `code-refused` or `no-input`; when the server cannot be reached or refuses;
 *   `signal.reason` when aborted
 */
export function signInByPaste(options: PasteOptions): Promise<SignedIn> {
  // The person does not have to wait, even for something that cannot be aborted.
  return untilAborted(ceremony(options), options.signal);
}

async function ceremony({ server, signal, onPage, pasted, again }: PasteOptions): Promise<SignedIn> {
  const config = await discover(server, signal);
  checkAllowed(config, server);
  const redirectUri = `${server}/paste`;
  const request = await pushRequest(config, redirectUri).catch((error: unknown) => {
    throw explainServerError(server, error);
  });
  signal.throwIfAborted();
  onPage({ url: request.url, words: request.words });
  void fetchKeysAhead(config).catch(() => {});
  for (let refusals = 0; ; ) {
    try {
      const code = readPastedCode(await nextPaste(pasted), request.words);
      const callback = new URL(`${redirectUri}?${new URLSearchParams({ code, state: request.state, iss: server })}`);
      return await redeem(config, request, callback);
    } catch (error) {
      signal.throwIfAborted();
      const problem = isRefusedCode(error) ? codeRefused(server) : explainServerError(server, error);
      if (problem.kind === 'code-refused') refusals += 1;
      const maySend =
        problem.kind === 'code-malformed' || (problem.kind === 'code-refused' && refusals < MOST_REFUSALS);
      if (again === undefined || !maySend) throw problem;
      again(problem);
    }
  }
}

/** @throws Problem `paste-not-allowed`, also for an older server, which says nothing of it */
function checkAllowed(config: client.Configuration, server: string): void {
  const { allowed, contact } = pasteAllowed(config);
  if (allowed) return;
  const administrator = contact === undefined ? 'your administrator' : `your administrator (${contact})`;
  throw new Problem({
    kind: 'paste-not-allowed',
    what: `${new URL(server).host} does not allow signing in with a pasted code.`,
    why: 'Somebody who is talked into reading the code to a stranger gives a day away, so it is off unless an administrator allows it.',
    fix: `Forward a port to your browser, as \`vouch login --no-browser\` shows in an SSH session; or ask ${administrator} whether the server may allow it (VOUCH_ALLOW_PASTE).`,
  });
}

async function nextPaste(pasted: PasteOptions['pasted']): Promise<string> {
  const text = await pasted();
  if (text !== undefined) return text;
  throw new Problem({
    kind: 'no-input',
    what: 'No code was pasted, so nobody is signed in here.',
    fix: 'Run `vouch login --paste` on a terminal, or give it the code on standard input once the page shows it.',
    category: 'usage',
  });
}

/** RFC 6749, section 5.2: the code is wrong, used, over, or of another request. */
function isRefusedCode(error: unknown): boolean {
  return error instanceof client.ResponseBodyError && error.error === 'invalid_grant';
}

function codeRefused(server: string): Problem {
  return new Problem({
    kind: 'code-refused',
    what: `${new URL(server).host} does not take this code.`,
    why: 'It is mistyped, was used, or is older than 3 minutes.',
    fix: 'Paste it again; if it is too old, run `vouch login --paste` again.',
  });
}
