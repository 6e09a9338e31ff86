/**
 * The models that we know without FIDO metadata, by the makers' names (Yubico's support article "YubiKey hardware FIDO2 AAGUIDs"; with
 * and without enterprise attestation; no previews). Each firmware version of a series that has its own AAGUID is here.
 */
const YUBIKEY_5: Record<string, readonly string[]> = {
  'YubiKey 5': [
    'cb69481e-8ff7-4039-93ec-0a2729a154a8',
    'ee882879-721c-4913-9775-3dfcce97072a',
    '19083c3d-8383-4b18-bc03-8f1c9ab2fd1b',
    'ff4dac45-ede8-4ec2-aced-cf66103f4335',
    '0a357157-9b18-4c8a-920e-d156e972b2f8',
    '20ac7a17-c814-4833-93fe-539f0d5e3389',
    '4599062e-6926-4fe7-9566-9e8fb1aedaa0',
    '524de2de-982f-49b4-a769-2b5e3b73ad79',
  ],
  'YubiKey 5 NFC': [
    'fa2b99dc-9e39-4257-8f92-4a30d23c4118',
    '2fc0579f-8113-47ea-b116-bb5a8db9202a',
    'a25342c0-3cdc-4414-8e46-f4807fca511c',
    'd7781e5d-e353-46aa-afe2-3ca49f13332a',
    'f4ce5fc0-57d3-46f5-a736-efb7d5bc63b5',
    '662ef48a-95e2-4aaa-a6c1-5b9c40375824',
    '0ebd9f2c-f685-441c-8c3e-a02a234a840a',
    '1ac71f64-468d-4fe0-bef1-0e5f2f551f18',
    '6ab56fad-881f-4a43-acb2-0be065924522',
    '41e39911-c669-4811-b860-c6ad0b411b96',
    'b2c1a50b-dad8-4dc7-ba4d-0ce9597904bc',
    '9a3f2abd-a73d-439c-9ee7-1b53a857eaa7',
  ],
  'YubiKey 5Ci': [
    'c5ef55ff-ad9a-4b9f-b580-adebafe026d0',
    'a02167b9-ae71-4ac7-9a07-06432ebb6f1c',
    '24673149-6c86-42e7-98d9-433fb5b73296',
    '03012cb7-4fb2-42e7-9e8d-a81f10e2a5e9',
    'b90e7dc1-316e-4fee-a25a-56a666a670fe',
    '3b24bf49-1d45-4484-a917-13175df0867b',
    'c3479970-e58a-4f70-836f-853bf42fb063',
  ],
  'YubiKey 5 CCN': [
    '3aa78eb1-ddd8-46a8-a821-8f8ec57a7bd5',
    'eb7ef748-cbe0-4b40-b8f6-07bd2d592d35',
    '4fc84f16-2545-4e53-b8fc-7bf4d7282a10',
    '3ec9c8d3-a5a7-415b-a7b5-f1d606368d3f',
  ],
};

/** Firmware 5.4 (FIPS 140-2) and 5.7 (FIPS 140-3). */
const YUBIKEY_5_FIPS: Record<string, readonly string[]> = {
  'YubiKey 5 FIPS': [
    '73bb0cd4-e502-49b8-9c6f-b59445bf720b',
    '57f7de54-c807-4eab-b1c6-1c9be7984e92',
    '905b4cb4-ed6f-4da9-92fc-45e0d4e9b5c7',
  ],
  'YubiKey 5 NFC FIPS': [
    'c1f9a0bc-1dd2-404a-b27f-8e29047a43fd',
    'fcc0118f-cd45-435b-8da1-9782b2da0715',
    '79f3c8ba-9e35-484b-8f47-53a5a0f5c630',
  ],
  'YubiKey 5Ci FIPS': [
    '85203421-48f9-4355-9bc8-8a53846e5083',
    '7b96457d-e3cd-432b-9ceb-c9fdd7ef7432',
    '3a662962-c6d4-4023-bebb-98ae92e78e20',
  ],
};

const OTHERS: Record<string, readonly string[]> = {
  'YubiKey Bio': [
    'd8522d9f-575b-4866-88a9-ba99fa02f35b',
    'dd86a2da-86a0-4cbe-b462-4bd31f57bc6f',
    '7409272d-1ff9-4e10-9fc9-ac0019c124fd',
    '9dd8d593-2213-438a-97f8-d6b813d51c27',
    '7d1351a6-e097-4852-b8bf-c9ac5c9ce4a3',
    '90636e1f-ef82-43bf-bdcf-5255f139d12f',
    '34744913-4f57-4e6e-a527-e9ec3c4b94e6',
    'ba0a9266-40d8-4048-9786-d710b5474752',
  ],
  'Security Key by Yubico': ['f8a011f3-8c0a-4d15-8006-17111f9edc7d', 'b92c3f9a-c014-4056-887f-140a2501163b'],
  'Security Key NFC by Yubico': [
    '6d44ba9b-f6ec-2e49-b930-0c8fe920cb73',
    '149a2021-8ef6-4133-96b8-81f8d5b7f1f5',
    'a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa',
    'e77e3c64-05e3-428b-8824-0cbeb04b829d',
    'b7d3f68e-88a6-471e-9ecf-2df26d041ede',
    '0f083f18-4105-43a8-ad69-24e812e38141',
  ],
};

const FIPS: ReadonlySet<string> = new Set(Object.values(YUBIKEY_5_FIPS).flat());

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...YUBIKEY_5, ...YUBIKEY_5_FIPS, ...OTHERS }).flatMap(([name, aaguids]) =>
    aaguids.map((aaguid) => [aaguid, name] as const),
  ),
);

/** Words for several models, which VOUCH_ALLOWED_AAGUIDS takes beside AAGUIDs. */
export const MODEL_WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['yubikey-5', Object.values({ ...YUBIKEY_5, ...YUBIKEY_5_FIPS }).flat()],
]);

/** The word that keeps, of all that is named beside it, only the models with a FIPS 140 validation; alone it names them all. */
export const FIPS_ONLY = 'fips-only';

/** Whether we know that a model has a FIPS 140 validation. */
export function isFips(aaguid: string): boolean {
  return FIPS.has(aaguid);
}

/** All models that we know to have one. */
export function fipsModels(): string[] {
  return [...FIPS];
}

/** The name of a model in our own table, or null. For display only: nothing is decided by it. */
export function knownModel(aaguid: string): string | null {
  return NAMES.get(aaguid) ?? null;
}
