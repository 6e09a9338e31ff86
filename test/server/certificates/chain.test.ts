import 'reflect-metadata';
import { Extension, KeyUsageFlags } from '@peculiar/x509';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../../server/certificates/certificate.ts';
import { findPaths } from '../../../server/certificates/chain.ts';
import {
  aaguidExtension,
  type Made,
  type Maker,
  makeAuthority,
  makeCertificate,
  makeMaker,
} from '../make-certificates.ts';

const AAGUID = '2fc0579f-8113-47ea-b116-bb5a8db9202a';

let maker: Maker;
let leaf: Made;
beforeAll(async () => {
  maker = await makeMaker();
  leaf = await makeCertificate({ by: maker.intermediate, aaguid: AAGUID, firmware: 328_706 });
});

/** The paths of a chain to trusted certificates, as subjects. */
function paths(chain: { der: Buffer }[], trusted: { der: Buffer }[]): string[][] {
  return findPaths(
    chain.map(({ der }) => readCertificate(der)),
    trusted.map(({ der }) => readCertificate(der)),
  ).map(({ certificates }) => certificates.map(({ node }) => /CN=(.*)/.exec(node.subject)?.[1] ?? ''));
}

describe('a certificate', () => {
  test('says which model and which firmware it attests', () => {
    expect(readCertificate(leaf.der)).toMatchObject({ aaguid: AAGUID, firmware: 328_706, authority: false });
    expect(readCertificate(maker.root.der)).toMatchObject({ aaguid: undefined, firmware: undefined, authority: true });
    expect(readCertificate(maker.intermediate.der).pathLength).toBe(0);
    expect(readCertificate(maker.root.der).pathLength).toBe(Number.POSITIVE_INFINITY);
  });

  test('with anything after it, or cut off, is none', () => {
    expect(() => readCertificate(Buffer.concat([leaf.der, Buffer.from([0])]))).toThrow();
    expect(() => readCertificate(leaf.der.subarray(0, -1))).toThrow();
    expect(() => readCertificate(Buffer.alloc(0))).toThrow();
  });

  test('whose AAGUID or firmware version cannot be read is none', async () => {
    const withExtension = async (type: string, value: number[]) =>
      readCertificate(
        (await makeCertificate({ extensions: [new Extension(type, false, Uint8Array.from(value))] })).der,
      );
    for (const value of [[], [0x04, 16], [0x04, 15, ...Array(15).fill(1)], [0x0c, 16, ...Array(16).fill(1)]]) {
      await expect(withExtension('1.3.6.1.4.1.45724.1.1.4', value)).rejects.toThrow('AAGUID');
    }
    for (const value of [[], [0x02, 0], [0x02, 1, 0x80], [0x02, 7, 0, 0, 0, 0, 0, 0, 1], [0x02, 2, 1], [0x04, 1, 1]]) {
      await expect(withExtension('1.3.6.1.4.1.45724.1.1.5', value)).rejects.toThrow('firmware');
    }
    expect(await withExtension('1.3.6.1.4.1.45724.1.1.5', [0x02, 1, 7])).toMatchObject({ firmware: 7 });
  });
});

describe('a chain leads to a trusted certificate', () => {
  test('that signed its last one, with or without the root in it', () => {
    const whole = [['Test Key', 'Test Root Intermediate', 'Test Root']];
    expect(paths([leaf, maker.intermediate], [maker.root])).toEqual(whole);
    expect(paths([leaf, maker.intermediate, maker.root], [maker.root])).toEqual(whole);
    expect(paths([leaf], [maker.intermediate])).toEqual([['Test Key', 'Test Root Intermediate']]);
    expect(paths([leaf, maker.intermediate], [maker.intermediate])).toEqual([['Test Key', 'Test Root Intermediate']]);
  });

  test('that is the attestation certificate itself', () => {
    expect(paths([leaf], [leaf])).toEqual([['Test Key']]);
  });

  test('whatever comes after that, as a cross-signed root of the same name and key does', async () => {
    const older = await makeAuthority('Older Root');
    const crossSigned = await makeAuthority('Test Root', { keys: maker.root.keys, by: older });
    const chain = [leaf, maker.intermediate, crossSigned];
    expect(paths(chain, [maker.root])).toEqual([['Test Key', 'Test Root Intermediate', 'Test Root']]);
    expect(paths(chain, [older])).toEqual([['Test Key', 'Test Root Intermediate', 'Test Root', 'Older Root']]);
    expect(paths([leaf, maker.intermediate, leaf], [maker.root])).toHaveLength(1);
  });

  test('whichever of several with the same name and key', async () => {
    const renewed = await makeAuthority('Test Root', { keys: maker.root.keys, notAfter: new Date('2121-01-01') });
    expect(paths([leaf, maker.intermediate], [maker.root, renewed])).toHaveLength(2);
  });

  test('through authorities of the root’s own name beyond the length that it allows, as when its key changes', async () => {
    const root = await makeAuthority('Short Root', { pathLength: 0 });
    const changed = await makeAuthority('Short Root', { by: root, pathLength: 0 });
    const last = await makeCertificate({ by: changed });
    expect(paths([last, changed], [root])).toEqual([['Test Key', 'Short Root', 'Short Root']]);
  });

  test('even if an old root says nothing of being one', async () => {
    const old = await makeAuthority('Old Root', { authority: null });
    expect(paths([await makeCertificate({ by: old })], [old])).toEqual([['Test Key', 'Old Root']]);
  });
});

describe('a chain leads nowhere', () => {
  const wrong: [string, () => Promise<[{ der: Buffer }[], { der: Buffer }[]]>][] = [
    ['when it is empty', async () => [[], [maker.root]]],
    ['when nothing is trusted', async () => [[leaf, maker.intermediate, maker.root], []]],
    ['without the intermediate authority', async () => [[leaf], [maker.root]]],
    ['with one certificate twice', async () => [[leaf, leaf, maker.intermediate], [maker.root]]],
    ['to a foreign root', async () => [[leaf, maker.intermediate], [await makeAuthority('Foreign')]]],
    [
      'to a foreign root of the same name',
      async () => [[leaf, maker.intermediate], [await makeAuthority('Test Root')]],
    ],
    [
      'when it brings its own root of the same name',
      async () => {
        const forged = await makeMaker();
        const own = await makeCertificate({ by: forged.intermediate, aaguid: AAGUID });
        return [[own, forged.intermediate, forged.root], [maker.root]];
      },
    ],
    [
      'through an attestation certificate that signs another',
      async () => [[await makeCertificate({ by: leaf }), leaf, maker.intermediate], [maker.root]],
    ],
    [
      'through a certificate that says nothing of being an authority',
      async () => {
        const silent = await makeAuthority('Silent', { by: maker.root, authority: null });
        return [[await makeCertificate({ by: silent }), silent], [maker.root]];
      },
    ],
    [
      'through an authority that may not sign certificates',
      async () => {
        const mute = await makeAuthority('Mute', { by: maker.root, keyUsage: KeyUsageFlags.digitalSignature });
        return [[await makeCertificate({ by: mute }), mute], [maker.root]];
      },
    ],
    [
      'through more authorities than one of them allows',
      async () => {
        const deeper = await makeAuthority('Deeper', { by: maker.intermediate });
        return [[await makeCertificate({ by: deeper }), deeper, maker.intermediate], [maker.root]];
      },
    ],
    [
      'through more authorities than the root allows',
      async () => {
        const root = await makeAuthority('Short Root', { pathLength: 0 });
        const between = await makeAuthority('Between', { by: root });
        return [[await makeCertificate({ by: between }), between], [root]];
      },
    ],
    [
      'to a trusted certificate that says it is no authority',
      async () => {
        const end = await makeCertificate();
        return [[await makeCertificate({ by: end })], [end]];
      },
    ],
    [
      'when an authority’s key is of an unknown kind',
      async () => {
        const strange = Buffer.from(maker.intermediate.der);
        // The last byte of id-ecPublicKey (RFC 5480, section 2.1.1).
        strange[strange.indexOf(Buffer.from('2a8648ce3d0201', 'hex')) + 6] = 0x7f;
        return [[leaf, { der: strange }], [maker.root]];
      },
    ],
    [
      'when the signature is another’s',
      async () => [
        [await makeCertificate({ by: leaf, issuer: maker.intermediate.subject }), maker.intermediate],
        [maker.root],
      ],
    ],
    [
      'when a bit of it was changed',
      async () => {
        const changed = Buffer.from(leaf.der);
        const name = changed.indexOf('Test Key');
        changed.write('Best Key', name);
        return [[{ der: changed }, maker.intermediate], [maker.root]];
      },
    ],
    [
      'when the issuer’s name is another',
      async () => [
        [await makeCertificate({ by: maker.intermediate, issuer: 'CN=Nobody' }), maker.intermediate],
        [maker.root],
      ],
    ],
    [
      'when the AAGUID is a critical extension',
      async () => {
        const critical = await makeCertificate({
          by: maker.intermediate,
          extensions: [aaguidExtension(AAGUID, true)],
        });
        return [[critical, maker.intermediate], [maker.root]];
      },
    ],
    [
      'when an authority has a critical extension that is not understood',
      async () => {
        const strange = await makeAuthority('Strange', {
          by: maker.root,
          extensions: [new Extension('2.5.29.30', true, Uint8Array.from([0x30, 0]))],
        });
        return [[await makeCertificate({ by: strange }), strange], [maker.root]];
      },
    ],
    [
      'when an extension comes twice',
      async () => {
        const twice = await makeCertificate({
          by: maker.intermediate,
          extensions: [aaguidExtension(AAGUID), aaguidExtension('00000000-0000-0000-0000-000000000001')],
        });
        return [[twice, maker.intermediate], [maker.root]];
      },
    ],
  ];
  for (const [name, make] of wrong) {
    test(name, async () => {
      expect(paths(...(await make()))).toEqual([]);
    });
  }
});
