import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { configText } from '../../../cli/git/config-text.ts';

const settings = [
  ['credential.https://git-codecommit.*.amazonaws.com.helper', ''],
  ['credential.https://git-codecommit.*.amazonaws.com.helper', '!f() { test "$1" = get && true; }; f'],
  ['credential.https://git-codecommit.*.amazonaws.com.usehttppath', 'true'],
  ['url.https://a.example/"b" \\ c.insteadof', '# no comment; and\n\ta second line \\ '],
  ['core.pager', ' spaces '],
  ['credential.https://git-codecommit.*.amazonaws.com.helper', 'once more'],
] as const;

test('Git reads the same settings from the text, in their order', () => {
  const read = execFileSync('git', ['config', '--file', '-', '--list', '-z'], {
    input: configText(settings),
    encoding: 'utf8',
  });
  const wanted = settings.map(([key, value]) => `${key}\n${value}\0`).join('');
  expect(read).toBe(wanted);
});
