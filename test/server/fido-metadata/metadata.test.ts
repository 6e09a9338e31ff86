import { expect, test } from 'vitest';
import { readIcon } from '../../../server/fido-metadata/icon.ts';
import { readMetadata } from '../../../server/fido-metadata/metadata.ts';
import { makeAuthority } from '../make-certificates.ts';
import { modelEntry, PNG_URL, payloadOf } from '../metadata-blob.ts';

const AAGUID = '2fc0579f-8113-47ea-b116-bb5a8db9202a';

test('an edition’s models are known by AAGUID, with description, version, roots, reports and icon', async () => {
  const root = await makeAuthority('Root');
  const entry = modelEntry({
    aaguid: AAGUID.toUpperCase(),
    roots: [root],
    authenticatorVersion: 5,
    icon: PNG_URL,
    statusReports: [
      {
        status: 'FIDO_CERTIFIED_L2',
        effectiveDate: '2024-02-03',
        sunsetDate: '2030-01-01',
        authenticatorVersion: 7,
        certificate: root.der.toString('base64'),
      },
    ],
  });
  // White space in base64 is common.
  entry.metadataStatement.attestationRootCertificates = [root.der.toString('base64').replace(/(.{64})/g, '$1\n ')];
  const metadata = readMetadata(payloadOf({ no: 42, nextUpdate: '2026-01-31', entries: [entry] }));
  expect(metadata).toMatchObject({ number: 42, nextUpdate: Date.UTC(2026, 0, 31) });
  expect(metadata.models.get(AAGUID)).toEqual({
    description: 'Test Key 3000',
    version: 5,
    roots: [{ der: root.der, ofSeveralModels: false }],
    reports: [
      {
        status: 'FIDO_CERTIFIED_L2',
        since: Date.UTC(2024, 1, 3),
        until: Date.UTC(2030, 0, 1),
        version: 7,
        certificates: [root.der],
      },
    ],
    icon: readIcon(PNG_URL),
  });
});

test('a root that attests several models is known as such', async () => {
  const [shared, own] = [await makeAuthority('Shared'), await makeAuthority('Own')];
  const other = AAGUID.replace('2', '3');
  const entries = [
    // Twice for one model is not for several.
    modelEntry({ aaguid: AAGUID, roots: [shared, own, own] }),
    modelEntry({ aaguid: other, roots: [shared] }),
  ];
  const { models } = readMetadata(payloadOf({ entries }));
  expect(models.get(AAGUID)?.roots.map(({ ofSeveralModels }) => ofSeveralModels)).toEqual([true, false, false]);
  expect(models.get(other)?.roots).toEqual([{ der: shared.der, ofSeveralModels: true }]);
});

test('of a model’s lists, the first hundred are read', () => {
  const statusReports = Array.from({ length: 150 }, () => ({ status: 'REVOKED' }));
  const { models } = readMetadata(payloadOf({ entries: [modelEntry({ aaguid: AAGUID, statusReports })] }));
  expect(models.get(AAGUID)?.reports).toHaveLength(100);
});

test('entries for other protocols are left out, and what has a wrong form does no harm', () => {
  const wrong = [
    null,
    7,
    { aaid: '1234#5678' },
    { aaguid: 'not one' },
    { aaguid: `x${AAGUID}` },
    { aaguid: `${AAGUID}x` },
    { attestationCertificateKeyIdentifiers: ['7c0903708b87115b0b422def3138c3c864e44573'] },
  ];
  const bare = {
    aaguid: AAGUID,
    metadataStatement: { description: 7, attestationRootCertificates: [7, null], icon: 7 },
    statusReports: [
      { status: 7, effectiveDate: '2024', sunsetDate: '02024-01-01', authenticatorVersion: 'x', certificate: 7 },
      {
        status: 7,
        effectiveDate: '2024-01-01T00:00',
        sunsetDate: '2024-13-01',
        authenticatorVersion: 1.5,
        certificate: '',
      },
      null,
    ],
  };
  const { models } = readMetadata(payloadOf({ entries: [...wrong, bare] }));
  expect([...models.keys()]).toEqual([AAGUID]);
  expect(models.get(AAGUID)).toEqual({
    description: '',
    version: undefined,
    roots: [],
    reports: [
      { status: '7', certificates: [] },
      { status: '7', certificates: [] },
      { status: 'undefined', certificates: [] },
    ],
    icon: undefined,
  });
});

test('a payload of another form is refused', () => {
  for (const wrong of [
    null,
    'text',
    {},
    { ...payloadOf(), no: 'x' },
    { ...payloadOf(), no: 1.5 },
    { ...payloadOf(), nextUpdate: 'soon' },
    { ...payloadOf(), nextUpdate: '2026-02-31x' },
    { ...payloadOf(), entries: {} },
    { ...payloadOf(), entries: Array(10_001).fill({}) },
  ]) {
    expect(() => readMetadata(wrong)).toThrow('not one of FIDO’s');
  }
});

test('an icon is a PNG of at most 256 KiB, and nothing else', () => {
  expect(readIcon(PNG_URL)?.subarray(1, 4).toString()).toBe('PNG');
  const url = (bytes: Buffer, type = 'image/png') => `data:${type};base64,${bytes.toString('base64')}`;
  const png = readIcon(PNG_URL) as Buffer;
  const grown = (size: number) => Buffer.concat([png, Buffer.alloc(size - png.length)]);
  expect(readIcon(url(grown(256 * 1024)))).toHaveLength(256 * 1024);
  for (const wrong of [
    undefined,
    7,
    '',
    'data:image/png;base64,',
    'https://example.com/icon.png',
    ` ${PNG_URL}`,
    `${PNG_URL}"`,
    PNG_URL.replace('/png', '/PNG'),
    url(png, 'image/svg+xml'),
    url(png, 'text/html'),
    url(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
    url(png.subarray(0, 8)),
    url(Buffer.concat([Buffer.from('x'), png])),
    url(grown(256 * 1024 + 1)),
    `data:image/png;base64,${'A'.repeat(10_000_000)}`,
  ]) {
    expect(readIcon(wrong)).toBeUndefined();
  }
});
