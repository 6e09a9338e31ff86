import { expect, test } from 'vitest';
import { CeremonyError } from '../../../../web/ui/ceremony.ts';
import { explain } from '../../../../web/ui/explain/explain.ts';
import type { Purpose } from '../../../../web/ui/explain/explanation.ts';
import { ProblemError, readProblem } from '../../../../web/ui/problem.ts';
import { UnsupportedError } from '../../../../web/ui/webauthn-support.ts';

const refused = (name: string, elapsed: number) => new CeremonyError(new DOMException('', name), elapsed, 60_000);
const kind = (error: unknown, purpose: Purpose = 'sign-in') => explain(error, purpose, 'vouch.example.com').kind;
const answered = (status: number, body: unknown, headers = {}) =>
  new ProblemError(readProblem(status, new Headers(headers), typeof body === 'string' ? body : JSON.stringify(body)));

test('a cancel and a time-out have one name, and are told apart by how long they took', () => {
  expect(kind(refused('NotAllowedError', 5_000))).toBe('cancelled');
  expect(kind(refused('NotAllowedError', 60_001))).toBe('timed-out');
  expect(kind(refused('AbortError', 60_001))).toBe('timed-out');
  expect(kind(refused('AbortError', 900))).toBe('cancelled');
});

test('the name is found inside the error that the library wraps around it', () => {
  const wrapped = new Error('wrapped', { cause: new DOMException('', 'InvalidStateError') });
  expect(kind(new CeremonyError(wrapped, 1_000, 60_000), 'enrol')).toBe('already-enrolled');
});

test('a key may be full where it is to keep something, and nowhere else', () => {
  for (const [name, elapsed] of [
    ['NotAllowedError', 5_000],
    ['NotAllowedError', 60_001],
    ['ConstraintError', 5_000],
  ] as const) {
    const full = (purpose: Purpose) => explain(refused(name, elapsed), purpose, 'h').mayBeFull ?? false;
    expect([name, full('enrol'), full('confirm'), full('sign-in')]).toEqual([name, true, false, false]);
  }
});

test('another page that asks for a key is named', () => {
  expect(kind(refused('OperationError', 12))).toBe('busy');
});

test('one error means different things to different purposes', () => {
  expect(kind(refused('ConstraintError', 9), 'sign-in')).toBe('pin');
  expect(kind(refused('ConstraintError', 9), 'confirm')).toBe('pin');
  expect(kind(refused('ConstraintError', 9), 'enrol')).toBe('key-unfit');
  expect(kind(refused('InvalidStateError', 9), 'sign-in')).toBe('pin');
});

test.each(['UnknownError', 'NotReadableError', 'SomethingNew'])('%s is trouble with the key', (name) => {
  const explanation = explain(refused(name, 4_000), 'sign-in', 'vouch.example.com');
  expect(explanation.kind).toBe('key-trouble');
  expect(explanation.canRetry).toBe(true);
  expect(explanation.mayBePin).toBe(true);
});

test('what the server says is used when the page knows no better', () => {
  const error = answered(403, { type: 'urn:vouch:problem:brand-new', title: 'The moon is full', detail: 'Wait a day' });
  expect(explain(error, 'sign-in', 'h')).toMatchObject({
    kind: 'brand-new',
    title: 'The moon is full.',
    advice: 'Wait a day.',
  });
});

test('an error page of a proxy is not quoted', () => {
  const explanation = explain(answered(503, '<html>nginx</html>'), 'sign-in', 'h');
  expect(explanation.kind).toBe('server-error');
  expect(JSON.stringify(explanation)).not.toContain('nginx');
});

test.each([['null'], ['"text"'], ['[1]'], ['{"type":7,"title":{}}'], ['']])(
  'a strange answer %s is survived',
  (body) => {
    const explanation = explain(answered(400, body), 'enrol', 'h');
    expect(explanation.title).not.toBe('');
    expect(explanation.advice).not.toBe('');
  },
);

test('how long to wait is said in words', () => {
  const wait = (seconds: string) =>
    explain(answered(429, { type: 'urn:vouch:problem:too-many-requests' }, { 'retry-after': seconds }), 'sign-in', 'h')
      .advice;
  expect(wait('1')).toBe('Wait 1 second, then try again.');
  expect(wait('45')).toBe('Wait 45 seconds, then try again.');
  expect(wait('300')).toBe('Wait 5 minutes, then try again.');
  expect(wait('soon')).toBe('Wait a minute, then try again.');
});

test('without WebAuthn the way out is another browser; without HTTPS it is another address', () => {
  expect(explain(new UnsupportedError('webauthn'), 'enrol', 'h').advice).toContain('vouch enroll');
  expect(explain(new UnsupportedError('https'), 'sign-in', 'h').advice).toContain('https://');
});
