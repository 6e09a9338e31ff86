import type { IncomingHttpHeaders } from 'node:http';

/** How long a copy of an answer may be kept by others, in seconds. */
export interface Freshness {
  /** From when the host itself made it. */
  maxAge: number;
  /** How old the copy that we got already was. */
  age: number;
}

/** What a cache may assume when the host says nothing, in seconds: CloudFront's default is a day. */
const UNSAID_MAX_AGE_S = 86_400;

/**
 * How long others may still have an older copy (RFC 9111, sections 4.2.1 and 5.1). Whatever cannot be read counts as not said.
 *
 * @param headers of the answer
 */
export function readFreshness(headers: IncomingHttpHeaders): Freshness {
  const age = seconds(headers.age) ?? 0;
  const directives = new Map(
    (headers['cache-control'] ?? '')
      .toLowerCase()
      .split(',')
      .map((directive) => {
        const [name = '', value = ''] = directive.split('=', 2).map((part) => part.trim().replace(/^"|"$/g, ''));
        return [name, value] as const;
      }),
  );
  if (directives.has('no-store') || directives.has('no-cache')) return { maxAge: 0, age };
  const said = ['s-maxage', 'max-age'].flatMap((name) => seconds(directives.get(name)) ?? []);
  // Some caches go by one, and some by the other.
  if (said.length > 0) return { maxAge: Math.max(...said), age };
  if (headers.expires === undefined) return { maxAge: UNSAID_MAX_AGE_S, age };
  // What is no date, such as 0, is over (section 5.3). Date.parse takes 0 for a year.
  const lasts = (Date.parse(headers.expires) - Date.parse(headers.date ?? '')) / 1000;
  return { maxAge: /[a-z]/i.test(headers.expires) && lasts > 0 ? lasts : 0, age };
}

/** RFC 9111, section 1.2.2: a larger number than 2^31 counts as that. */
function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? Math.min(Number(text), 2 ** 31) : undefined;
}
