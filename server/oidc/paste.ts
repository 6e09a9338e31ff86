/**
 * The redirect URI of a sign-in whose code a person carries to the terminal: registered only if `VOUCH_ALLOW_PASTE` says so. No browser is
 * ever sent there; the page shows the code, so that it is in no address.
 */
export function pasteUri(issuer: string): string {
  return `${issuer}/paste`;
}

/** How long such a code is good, in seconds: a person finds the terminal again, and perhaps a second machine, in this time. */
export const PASTED_CODE_SECONDS = 3 * 60;

/**
 * What the page shows, and the terminal takes: the code, with the words of its sign-in before it. By these the terminal tells a code of
 * another sign-in, or what else was in the clipboard, from its own, and sends it nowhere.
 */
export function pasteText(words: string, code: string): string {
  return `${words.replaceAll(' ', '-')}-${code}`;
}
