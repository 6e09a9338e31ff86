import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { privatePage } from '../../../cli/console/private-page.ts';
import { machine } from '../support.ts';

test('only its owner can read the page; its name tells nothing; it can be removed', () => {
  const { folder } = machine();
  const secret = new URL(`https://signin.aws.amazon.com/federation?a=1&b="<x>'`);
  const { url, remove } = privatePage(secret, folder);
  const file = fileURLToPath(url);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(url).not.toContain('signin');
  const page = readFileSync(file, 'utf8');
  expect(page).toContain('content="0;url=https://signin.aws.amazon.com/federation?a=1&amp;b=');
  expect(page).not.toMatch(/"<x>|'<x>/);
  remove();
  expect(existsSync(file)).toBe(false);
});
