import { expect, test } from 'vitest';
import { CeremonyError } from '../../web/ui/ceremony.ts';
import { explain, explainUnsupported, type Purpose, wantsGesture } from '../../web/ui/explain.ts';
import { ProblemError, readProblem, UnreachableError } from '../../web/ui/problem.ts';
import { ago, exactly } from '../../web/ui/when.ts';

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

test('a refusal sooner than a person could give one is the browser asking for a press', () => {
  expect(wantsGesture(refused('NotAllowedError', 12))).toBe(true);
  expect(wantsGesture(refused('NotAllowedError', 3_000))).toBe(false);
  expect(wantsGesture(refused('InvalidStateError', 12))).toBe(false);
  expect(wantsGesture(new UnreachableError(undefined))).toBe(false);
});

test('the name is found inside the error that the library wraps around it', () => {
  const wrapped = new Error('wrapped', { cause: new DOMException('', 'InvalidStateError') });
  expect(kind(new CeremonyError(wrapped, 1_000, 60_000), 'enroll')).toBe('already-enrolled');
});

test('a key may be full where it is to keep something, and nowhere else', () => {
  for (const [name, elapsed] of [
    ['NotAllowedError', 5_000],
    ['NotAllowedError', 60_001],
    ['ConstraintError', 5_000],
  ] as const) {
    const full = (purpose: Purpose) => explain(refused(name, elapsed), purpose, 'h').mayBeFull ?? false;
    expect([name, full('enroll'), full('confirm'), full('sign-in')]).toEqual([name, true, false, false]);
  }
});

test('another page that asks for a key is named', () => {
  expect(kind(refused('OperationError', 12))).toBe('busy');
});

test('one error means different things to different purposes', () => {
  expect(kind(refused('ConstraintError', 9), 'sign-in')).toBe('pin');
  expect(kind(refused('ConstraintError', 9), 'confirm')).toBe('pin');
  expect(kind(refused('ConstraintError', 9), 'enroll')).toBe('key-unfit');
  expect(kind(refused('InvalidStateError', 9), 'sign-in')).toBe('pin');
});

test.each(['UnknownError', 'NotReadableError', 'SomethingNew'])('%s is trouble with the key', (name) => {
  const explanation = explain(refused(name, 4_000), 'sign-in', 'vouch.example.com');
  expect(explanation.kind).toBe('key-trouble');
  expect(explanation.again).toBe(true);
  expect(explanation.mayBePin).toBe(true);
});

test('what the server says is used when the page knows no better', () => {
  const error = answered(403, { type: 'urn:vouch:problem:brand-new', title: 'The moon is full', detail: 'Wait a day' });
  expect(explain(error, 'sign-in', 'h')).toMatchObject({
    kind: 'brand-new',
    title: 'The moon is full.',
    next: 'Wait a day.',
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
    const explanation = explain(answered(400, body), 'enroll', 'h');
    expect(explanation.title).not.toBe('');
    expect(explanation.next).not.toBe('');
  },
);

test('how long to wait is said in words', () => {
  const wait = (seconds: string) =>
    explain(answered(429, { type: 'urn:vouch:problem:too-many-requests' }, { 'retry-after': seconds }), 'sign-in', 'h')
      .next;
  expect(wait('1')).toBe('Wait 1 second, then try again.');
  expect(wait('45')).toBe('Wait 45 seconds, then try again.');
  expect(wait('300')).toBe('Wait 5 minutes, then try again.');
  expect(wait('soon')).toBe('Wait a minute, then try again.');
});

test('without WebAuthn the way out is another browser; without HTTPS it is another address', () => {
  expect(explainUnsupported(true, 'enroll').next).toContain('vouch enroll');
  expect(explainUnsupported(false, 'sign-in').next).toContain('https://');
});

test('when it was asked, for a person', () => {
  const now = new Date('2025-03-04T12:00:00');
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  expect(ago(before(-30), now)).toBe('just now');
  expect(ago(before(59), now)).toBe('just now');
  expect(ago(before(60), now)).toBe('1 minute ago');
  expect(ago(before(3 * 3600), now)).toBe('3 hours ago');
  expect(ago(before(26 * 3600), now)).toBe('yesterday');
  expect(exactly(before(60), now)).toBe('at 11:59');
  expect(exactly(before(26 * 3600), now)).toBe('3 March at 10:00');
});
