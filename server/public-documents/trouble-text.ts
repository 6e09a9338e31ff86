import { isOfKey, type Look, type Trouble } from './look.ts';

/** A trouble as a sentence for the administrator. */
export function troubleText(trouble: Trouble): string {
  switch (trouble.kind) {
    case 'member-differs': {
      const { url, member, expected, found } = trouble;
      const must = Array.isArray(expected) ? `a list with ${expected.join(', ')}` : String(expected);
      return `${url}: ${member} is ${found === null ? 'missing' : String(found)}, and must be ${must}.`;
    }
    case 'key-missing':
      return `${trouble.url} does not have the ${trouble.state} key ${trouble.kid}.`;
    case 'key-differs':
      return `${trouble.url} has another key under the name of the ${trouble.state} key ${trouble.kid}.`;
    case 'key-foreign':
      return `${trouble.url} has a key ${trouble.kid}, which is not one of the server's now. AWS accepts what it signs.`;
    default:
      return `${trouble.url}: ${trouble.why}`;
  }
}

/** What the administrator can do about all of it, in a sentence. */
export function remedy({ troubles }: Look, elsewhere: boolean): string {
  const isOurs = troubles.every((trouble) => isOfKey(trouble) || trouble.kind === 'member-differs');
  if (!elsewhere) return 'Look whether the server runs, and whether the internet reaches it by HTTPS at this address.';
  return isOurs
    ? 'Run `vouch-server publish DIR`, upload the folder, and wait until caches have forgotten the old copy.'
    : 'Mend the host, or upload what `vouch-server publish DIR` writes; it must answer every request by HTTPS, without a redirection.';
}
