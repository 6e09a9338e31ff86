import { describe, expect, test } from 'vitest';
import { LEVELS, levelsFrom } from '../../../server/fido-metadata/levels.ts';
import { COMPROMISES, compromiseOf, levelOf, type StatusReport } from '../../../server/fido-metadata/statuses.ts';

const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
const NOW = day('2026-06-01');
const report = (status: string, since?: string, more: Partial<StatusReport> = {}): StatusReport => ({
  status,
  certificates: [],
  ...(since === undefined ? {} : { since: day(since) }),
  ...more,
});
const unproven = { firmware: undefined, path: undefined };
const firmware = (version: number) => ({ firmware: version, path: [Buffer.from('leaf')] });

describe('the certification level', () => {
  const level = (reports: StatusReport[], evidence: Parameters<typeof levelOf>[1] = unproven) =>
    levelOf(reports, evidence, NOW);

  test('is each of FIDO’s levels, in their order', () => {
    for (const one of LEVELS) expect(level([report(`FIDO_CERTIFIED_${one}`, '2024-01-01')])).toBe(one);
    expect(levelsFrom('L2plus')).toEqual(['L2plus', 'L3', 'L3plus']);
    expect(levelsFrom('L1')).toEqual([...LEVELS]);
  });

  test('is none without a report of one: also for the certification without a level, and for unknown words', () => {
    expect(level([])).toBeNull();
    for (const status of [
      'FIDO_CERTIFIED',
      'NOT_FIDO_CERTIFIED_L1',
      'FIDO_CERTIFIED_L4',
      'FIDO_CERTIFIED_',
      'L1',
      'FIPS140_CERTIFIED_L2',
    ]) {
      expect(level([report(status, '2024-01-01')])).toBeNull();
    }
  });

  test('is that of the latest report, wherever it stands in the list', () => {
    const [first, second] = [report('FIDO_CERTIFIED_L1', '2023-01-01'), report('FIDO_CERTIFIED_L2', '2024-01-01')];
    expect(level([first, second])).toBe('L2');
    expect(level([second, first])).toBe('L2');
    expect(level([second, report('FIDO_CERTIFIED_L1', '2025-01-01')])).toBe('L1');
  });

  test('of two reports from one day is the higher one', () => {
    const reports = [report('FIDO_CERTIFIED_L2', '2024-01-01'), report('FIDO_CERTIFIED_L1', '2024-01-01')];
    expect(level(reports)).toBe('L2');
    expect(level(reports.toReversed())).toBe('L2');
  });

  test('ends when the model is no longer certified, revoked or retired, and not by other reports', () => {
    for (const status of ['NOT_FIDO_CERTIFIED', 'REVOKED', 'RETIRED']) {
      expect(level([report('FIDO_CERTIFIED_L2', '2024-01-01'), report(status, '2025-01-01')])).toBeNull();
      expect(level([report('FIDO_CERTIFIED_L2', '2025-01-01'), report(status, '2024-01-01')])).toBe('L2');
    }
    for (const status of ['FIDO_CERTIFIED', 'SELF_ASSERTION_SUBMITTED', 'UPDATE_AVAILABLE', 'FIPS140_CERTIFIED_L3']) {
      expect(level([report('FIDO_CERTIFIED_L2', '2024-01-01'), report(status, '2025-01-01')])).toBe('L2');
    }
  });

  test('counts from its day on, until its end', () => {
    expect(level([report('FIDO_CERTIFIED_L2', '2026-06-01')])).toBe('L2');
    expect(level([report('FIDO_CERTIFIED_L2', '2026-06-02')])).toBeNull();
    expect(level([report('FIDO_CERTIFIED_L2', '2024-01-01', { until: NOW + 1 })])).toBe('L2');
    expect(level([report('FIDO_CERTIFIED_L2', '2024-01-01', { until: NOW })])).toBeNull();
    expect(level([report('FIDO_CERTIFIED_L3')])).toBe('L3');
  });

  test('of a newer firmware does not count for a key that proves an older one', () => {
    const reports = [
      report('FIDO_CERTIFIED_L1', '2023-01-01', { version: 5 }),
      report('FIDO_CERTIFIED_L2', '2024-01-01', { version: 7 }),
    ];
    expect([4, 5, 6, 7, 8].map((version) => level(reports, firmware(version)))).toEqual([null, 'L1', 'L1', 'L2', 'L2']);
    expect(level(reports)).toBe('L2');
  });
});

describe('a compromise', () => {
  const compromise = (reports: StatusReport[], evidence: Parameters<typeof compromiseOf>[2] = unproven, version = 9) =>
    compromiseOf(reports, version, evidence, NOW);

  test('is each of the five statuses that say so, and no other', () => {
    for (const status of COMPROMISES) expect(compromise([report(status, '2024-01-01')])).toBe(status);
    for (const status of ['UPDATE_AVAILABLE', 'NOT_FIDO_CERTIFIED', 'RETIRED', 'FIDO_CERTIFIED_L1', 'revoked', '']) {
      expect(compromise([report(status, '2024-01-01')])).toBeUndefined();
    }
  });

  test('counts from its day on, and at once without a day', () => {
    expect(compromise([report('REVOKED', '2026-06-01')])).toBe('REVOKED');
    expect(compromise([report('REVOKED', '2026-06-02')])).toBeUndefined();
    expect(compromise([report('FIDO_CERTIFIED_L1', '2030-01-01'), report('REVOKED')])).toBe('REVOKED');
    expect(compromise([report('USER_VERIFICATION_BYPASS'), report('FIDO_CERTIFIED_L1', '2024-01-01')])).toBe(
      'USER_VERIFICATION_BYPASS',
    );
  });

  test('of some certificates concerns the keys that have them, and those that prove nothing', () => {
    const leaf = Buffer.from('leaf');
    const root = Buffer.from('root');
    const of = (certificate: string) =>
      report('ATTESTATION_KEY_COMPROMISE', '2024-01-01', { certificates: [Buffer.from(certificate)] });
    const proven = { firmware: undefined, path: [leaf, root] };
    expect(compromise([of('leaf')], proven)).toBe('ATTESTATION_KEY_COMPROMISE');
    expect(compromise([of('root')], proven)).toBe('ATTESTATION_KEY_COMPROMISE');
    expect(compromise([of('another')], proven)).toBeUndefined();
    expect(compromise([of('another')], unproven)).toBe('ATTESTATION_KEY_COMPROMISE');
    expect(compromise([of('leaf'), of('another')], proven)).toBe('ATTESTATION_KEY_COMPROMISE');
    const either = { certificates: [Buffer.from('another'), leaf] };
    expect(compromise([report('REVOKED', '2024-01-01', either)], proven)).toBe('REVOKED');
  });

  for (const mending of ['UPDATE_AVAILABLE', 'FIDO_CERTIFIED_L2']) {
    test(`ends with a later ${mending} for a key that proves the mended firmware, and for no other`, () => {
      const bad = report('USER_KEY_REMOTE_COMPROMISE', '2024-01-01', { version: 5 });
      const mended = report(mending, '2025-01-01', { version: 6 });
      expect(compromise([bad, mended], firmware(6))).toBeUndefined();
      expect(compromise([mended, bad], firmware(7))).toBeUndefined();
      expect(compromise([bad, mended], firmware(5))).toBe('USER_KEY_REMOTE_COMPROMISE');
      expect(compromise([bad, mended], unproven)).toBe('USER_KEY_REMOTE_COMPROMISE');
      // Before it, or in the future, it mends nothing.
      expect(compromise([report(mending, '2023-01-01', { version: 6 }), bad], firmware(6))).toBeDefined();
      expect(compromise([bad, report(mending, '2027-01-01', { version: 6 })], firmware(6))).toBeDefined();
      // The version must have risen.
      expect(compromise([bad, report(mending, '2025-01-01', { version: 5 })], firmware(6))).toBeDefined();
    });

    test(`ends with a later ${mending} without a version at the version of the metadata statement`, () => {
      const reports = [report('REVOKED', '2024-01-01'), report(mending, '2025-01-01')];
      expect(compromise(reports, firmware(9))).toBeUndefined();
      expect(compromise(reports, firmware(8))).toBe('REVOKED');
      expect(compromiseOf(reports, undefined, firmware(99), NOW)).toBe('REVOKED');
      // Zero is a version too.
      expect(compromiseOf(reports, 0, firmware(0), NOW)).toBeUndefined();
    });
  }

  test('that comes after an update counts again', () => {
    const reports = [
      report('USER_VERIFICATION_BYPASS', '2023-01-01', { version: 1 }),
      report('UPDATE_AVAILABLE', '2024-01-01', { version: 2 }),
      report('USER_KEY_PHYSICAL_COMPROMISE', '2025-01-01', { version: 2 }),
    ];
    expect(compromise(reports, firmware(2))).toBe('USER_KEY_PHYSICAL_COMPROMISE');
  });
});
