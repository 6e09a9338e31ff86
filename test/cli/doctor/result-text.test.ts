import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Result } from '../../../cli/doctor/check.ts';
import { looksOf, resultText, summaryText } from '../../../cli/doctor/result-text.ts';
import { hang } from '../../../cli/text/hang.ts';

const titles = { width: 14, of: (id: string) => ({ sts: 'AWS STS' })[id] ?? id };
const plain = { colour: false, columns: 80 };
const failed: Result = {
  id: 'helper',
  title: "Git's helper",
  status: 'failed',
  says: 'not on your PATH',
  findings: [
    {
      id: 'helper.not-on-path',
      severity: 'trouble',
      what: '`git-credential-vouch` is not on your PATH, so Git does not find it.',
      why: ['npm puts it into the same folder as `vouch`.'],
      steps: [
        'Add that folder to your PATH, or run `vouch setup codecommit --absolute` where you have no PATH to change.',
      ],
    },
  ],
};

describe('resultText', () => {
  test('shows the line, its reason and its steps, and no line longer than the terminal is wide', () => {
    expect(resultText(failed, titles, plain)).toBe(
      [
        "✗ Git's helper    not on your PATH",
        '    `git-credential-vouch` is not on your PATH, so Git does not find it.',
        '    npm puts it into the same folder as `vouch`.',
        '  → Add that folder to your PATH, or run `vouch setup codecommit --absolute`',
        '    where you have no PATH to change.',
        '',
      ].join('\n'),
    );
  });

  test('tells several findings apart by a blank line', () => {
    const one = { id: 'x', severity: 'warning' as const, what: 'One.', why: ['For this.'], steps: ['Do it.'] };
    const result: Result = {
      ...failed,
      status: 'warning',
      says: '2 things',
      findings: [one, { ...one, what: 'Two.' }],
    };
    const lines = (what: string) => [`    ${what}`, '    For this.', '  → Do it.', ''];
    expect(resultText(result, titles, plain)).toBe(
      ["! Git's helper    2 things", ...lines('One.'), ...lines('Two.')].join('\n'),
    );
  });

  test('names, for a check that was not tried, the checks that it needs', () => {
    const result: Result = { id: 'pull', title: 'Pull', status: 'not-tried', waitsFor: ['sts'], findings: [] };
    expect(resultText(result, titles, plain)).toBe('- Pull            not tried: needs AWS STS\n');
  });

  test('shows each of the four states by its own shape, and repeats it in colour if colours are wanted', () => {
    const ok: Result = { id: 'node', title: 'Node', status: 'ok', says: '24', findings: [] };
    const symbols = [ok, { ...ok, status: 'warning' as const }, failed].map((one) => resultText(one, titles, plain)[0]);
    expect(symbols).toEqual(['✓', '!', '✗']);
    const coloured = resultText(failed, titles, { ...plain, colour: true });
    expect(coloured).toContain('\u001b[31m✗\u001b[39m');
    expect(stripVTControlCharacters(coloured)).toBe(resultText(failed, titles, plain));
  });

  test('lets no text from others control the terminal', () => {
    const hostile: Result = {
      id: 'server',
      title: 'Server',
      status: 'ok',
      says: 'a\u001b]0;title\u0007b\r\nc',
      details: ['d\u001b[2Je'],
      findings: [{ id: 'x', severity: 'trouble', what: '\u202ef', why: ['\u009bg'], steps: ['h\ni'] }],
    };
    expect(resultText(hostile, titles, plain)).not.toMatch(/[^\P{C}\n]/u);
  });
});

describe('looksOf', () => {
  test('has no colours in a file, with NO_COLOR, or on a dumb terminal', () => {
    expect(looksOf({ isTTY: true, columns: 100 }, {})).toEqual({ colour: true, columns: 100 });
    expect(looksOf({ isTTY: true, columns: 100 }, { NO_COLOR: '1' }).colour).toBe(false);
    expect(looksOf({ isTTY: true }, { TERM: 'dumb' }).colour).toBe(false);
    expect(looksOf({}, {})).toEqual({ colour: false, columns: 80 });
  });
});

describe('hang', () => {
  test('keeps a command for copying in one piece, even if it is longer than the line', () => {
    expect(hang('> ', 'Run `git config --global credential.helper x` now', 20)).toBe(
      '> Run\n  `git config --global credential.helper x`\n  now',
    );
  });
});

describe('summaryText', () => {
  test('counts', () => {
    const waits: Result = { id: 'pull', title: 'Pull', status: 'not-tried', waitsFor: ['sts'], findings: [] };
    expect(summaryText([failed, waits], 'https://…', plain)).toBe('1 of 2 checks failed. 1 was not tried.');
    expect(summaryText([], 'https://…', plain)).toContain('All is well');
  });
});
