import { describe, expect, test } from 'vitest';
import { normalizeUrl, patternsOverlap, urlMatches } from '../../../cli/git/url-match.ts';

/** Each row follows Git's urlmatch.c. random-config.test.ts asks Git itself about random URLs. */

const pattern = (text: string) => {
  const found = normalizeUrl(text, { pattern: true });
  if (found === undefined) throw new Error(`${text} is not a pattern`);
  return found;
};

describe('a URL in the form in which Git compares it', () => {
  test.each([
    ['https://h', { scheme: 'https', user: undefined, host: 'h', port: '', path: '/' }],
    ['HTTPS://User@Host.Example:8443/Path', { user: 'User', host: 'host.example', port: '8443', path: '/Path' }],
    ['a+b-c.1://h', { scheme: 'a+b-c.1' }],
    // The user: without a password, empty, escaped. An @ after the authority marks no user.
    ['https://u:p@h', { user: 'u', host: 'h' }],
    ['https://@h', { user: '', host: 'h' }],
    ['https://a%2db%2Fc%3ad%20e@h', { user: 'a-b%2Fc%3Ad%20e', host: 'h' }],
    ['https://h/u@x', { user: undefined, host: 'h', path: '/u@x' }],
    ['https://h?u@x', { user: undefined, host: 'h', path: '/?u@x' }],
    ['https://h#u@x', { user: undefined, host: 'h', path: '/#u@x' }],
    // The port.
    ['https://h:', { port: '' }],
    ['https://h:443', { port: '' }],
    ['https://h:0443', { port: '' }],
    ['https://h:000443', { port: '' }],
    ['https://h:80', { port: '80' }],
    ['http://h:80', { port: '' }],
    ['http://h:443', { port: '443' }],
    ['ssh://h:22', { port: '22' }],
    ['https://h:1', { port: '1' }],
    ['https://h:65535', { port: '65535' }],
    ['https://[2001:DB8::1]', { host: '[2001:db8::1]', port: '' }],
    ['https://[::1]:8443/', { host: '[::1]', port: '8443' }],
    // A file's host may be empty.
    ['file:///a', { scheme: 'file', host: '', port: '', path: '/a' }],
    ['FILE:///a', { scheme: 'file', host: '' }],
    ['file://h:1/a', { host: 'h', port: '1' }],
    // The path.
    ['https://h//a//b/', { path: '//a//b/' }],
    ['https://h/a/./b/.', { path: '/a/b' }],
    ['https://h/a/../b', { path: '/b' }],
    ['https://h/%2e/a/%2E%2e/b', { path: '/b' }],
    ['https://h/a%2fb', { path: '/a%2Fb' }],
    ['https://h/%41%7e%2D%5f%2e%30', { path: '/A~-_.0' }],
    ["https://h/!$&'()*+,;=:@", { path: "/!$&'()*+,;=:@" }],
    ['https://h/%21%24%26%27%28%29%2a%2b%2c%3b%3d%3a%40', { path: '/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40' }],
    ['https://h/a b<>"{}|\\^`é', { path: '/a%20b%3C%3E%22%7B%7D%7C%5C%5E%60%C3%A9' }],
    ['https://h/é', { path: '/%C3%A9' }],
    ['https://h/a\nb\u0001\u007f', { path: '/a%0Ab%01%7F' }],
    ['https://h/%c3%a9%00', { path: '/%C3%A9%00' }],
    ['https://h/a?b/../c%2fd%7e#e', { path: '/a?b/../c%2Fd~#e' }],
    ['https://h/a#b/../c', { path: '/a#b/../c' }],
  ])('%s', (url, expected) => {
    expect(normalizeUrl(url)).toMatchObject(expected);
    expect(normalizeUrl(url, { pattern: true })).toEqual(normalizeUrl(url));
  });

  test.each([
    ['no scheme', 'h/p'],
    ['a scheme that begins with a digit', '1a://h'],
    ['something before the scheme', ' https://h'],
    ['words before the scheme', 'see https://h'],
    ['one slash', 'https:/h'],
    ['no host', 'https://'],
    ['no host before a path', 'https:///p'],
    ['no host before a port', 'https://:443/'],
    ['no host behind a user', 'https://u@/'],
    ['a host with an escape', 'https://%68/'],
    ['a host with a space', 'https://a b/'],
    ['a host that is not ASCII', 'https://é/'],
    ['a host with a line end', 'https://h\n/'],
    ['a port for a file without a host', 'file://:1/a'],
    ['a port that is no number', 'https://h:4a3'],
    ['a port with a sign', 'https://h:+8443'],
    ['a port with an exponent', 'https://h:1e3'],
    ['port 0', 'https://h:000'],
    ['port 65536', 'https://h:65536'],
    ['a port of six digits', 'https://h:100000'],
    ['a way above the root', 'https://h/a/../..'],
    ['a broken escape in the path', 'https://h/%4'],
    ['a broken escape in a path that needs no other', 'https://h/%zz'],
    ['a broken escape in the query', 'https://h/a?%g1'],
    ['a broken escape in the fragment', 'https://h/a#%1g'],
    ['a broken escape in the user', 'https://%zz@h/'],
  ])('does not exist with %s', (_, url) => {
    expect(normalizeUrl(url)).toBeUndefined();
    expect(normalizeUrl(url, { pattern: true })).toBeUndefined();
  });

  test('may have a * in its host only as a pattern', () => {
    expect(normalizeUrl('https://*.h/*')).toBeUndefined();
    expect(normalizeUrl('https://*.h/*', { pattern: true })).toMatchObject({ host: '*.h', path: '/*' });
  });
});

/** Pairs for both `urlMatches` and `patternsOverlap`: a pattern without a `*` is a URL. */
const rows: [string, string, boolean][] = [
  ['https://h/p', 'https://h/p', true],
  ['https://h/p', 'http://h/p', false],
  ['https://h/p', 'https://g/p', false],
  ['https://h/p', 'https://h:8443/p', false],
  ['https://h:8443/p', 'https://h:8443/p', true],
  ['https://h:443/p', 'https://h', true],
  ['https://u@h/p', 'https://h', true],
  ['https://u@h/p', 'https://u@h', true],
  ['https://u@h/p', 'https://v@h', false],
  ['https://u@h/p', 'https://@h', false],
  ['https://a.b.c/', 'https://a.*.c', true],
  ['https://a.b.c/', 'https://*.*.*', true],
  ['https://a.b.c/', 'https://a.x*.c', false],
  ['https://a.b.c/', 'https://*.c', false],
  ['https://a.b.c/', 'https://*.b.c.d', false],
  ['https://a.b.c/', 'https://a.*.d', false],
  ['https://a.b.c/', 'https://b.c', false],
  ['https://a.b/', 'https://a.b.', true],
  ['https://a.b./', 'https://a.b', true],
  ['https://a.b/', 'https://a.b..', false],
  ['https://a.b/', 'https://a.b.*', false],
  ['https://a.b/', 'https://.a.b', false],
  ['https://h/p/q', 'https://h/p', true],
  ['https://h/p/q', 'https://h/p/', true],
  ['https://h/p', 'https://h/p/', true],
  ['https://h/pq', 'https://h/p', false],
  ['https://h/pq', 'https://h/p/', false],
  ['https://h/q/p', 'https://h/p', false],
  ['https://h/P', 'https://h/p', false],
  ['https://h/p/q', 'https://h/p//', false],
  ['file:///a/b', 'file:///a', true],
  ['file:///a', 'file://h/a', false],
  ['file:///a', 'file://*/a', false],
];

test.each(rows)('%s is matched by %s: %s', (url, text, expected) => {
  const one = normalizeUrl(url);
  expect(one && urlMatches(one, pattern(text))).toBe(expected);
});

test('a pattern with a user does not match a URL without one, nor a narrower path a wider one', () => {
  expect(urlMatches(pattern('https://h/p'), pattern('https://u@h'))).toBe(false);
  expect(urlMatches(pattern('https://h/p'), pattern('https://h/p/q'))).toBe(false);
});

test.each([
  ...rows,
  ['https://h/p', 'https://u@h/p', true],
  ['https://h/p', 'https://h/p/q', true],
  ['https://a.*/p', 'https://*.b/p', true],
  ['https://a.*/p', 'https://b.*/p', false],
  ['https://a.*/p', 'https://a.*.c/p', false],
  ['https://*.b/p', 'https://a.b/q', false],
] as [string, string, boolean][])('%s and %s may be for one URL: %s', (one, other, expected) => {
  expect(patternsOverlap(pattern(one), pattern(other))).toBe(expected);
  expect(patternsOverlap(pattern(other), pattern(one))).toBe(expected);
});
