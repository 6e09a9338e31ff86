/**
 * Whether a text is a domain (RFC 1123, section 2.1) of at least two labels, in lower case and without the final dot, which would
 * make it a different name.
 */
export function isDomain(text: string): boolean {
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
  return text.length <= 253 && new RegExp(`^(?:${label}\\.)+${label}$`).test(text);
}
