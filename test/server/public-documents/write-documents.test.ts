import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { publicDocuments } from '../../../server/public-documents/documents.ts';
import { writeDocuments } from '../../../server/public-documents/write-documents.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const documents = publicDocuments({ issuer: 'https://a.example.com', awsIssuer: 'https://b.example.com' }, []);
const folder = temporaryFolder();
let number = 0;
const newFolder = () => join(folder, String(number++));
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

test('everybody may read the documents, whatever the umask', async () => {
  const there = newFolder();
  const umask = process.umask(0o022);
  try {
    process.umask(0o022);
    mkdirSync(there);
    process.umask(0o026);
    expect(await writeDocuments(there, documents)).toEqual([
      join(there, '.well-known/jwks.json'),
      join(there, '.well-known/openid-configuration'),
    ]);
  } finally {
    process.umask(umask);
  }
  expect(modeOf(join(there, '.well-known/jwks.json'))).toBe('644');
  expect(modeOf(join(there, '.well-known/openid-configuration'))).toBe('644');
  for (const { path, text } of documents) expect(readFileSync(join(there, path), 'utf8')).toBe(text);
});

test('what is up to date stays as it is, and what is not is replaced whole', async () => {
  const there = newFolder();
  await writeDocuments(there, documents);
  const file = join(there, '.well-known/jwks.json');
  const { ino } = statSync(file);
  expect(await writeDocuments(there, documents)).toEqual([]);
  expect(statSync(file).ino).toBe(ino);
  writeFileSync(file, 'old');
  const { ino: old } = statSync(file);
  expect(await writeDocuments(there, documents)).toEqual([file]);
  // Another file: who reads the old one meanwhile reads it to its end.
  expect(statSync(file).ino).not.toBe(old);
  expect(readdirSync(join(there, '.well-known')).sort()).toEqual(['jwks.json', 'openid-configuration']);
});

test('a link in a document’s place is replaced, and what it leads to stays as it was', async () => {
  const there = newFolder();
  mkdirSync(join(there, '.well-known'), { recursive: true });
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, 'mine');
  symlinkSync(elsewhere, join(there, '.well-known/jwks.json'));
  await writeDocuments(there, documents);
  expect(readFileSync(elsewhere, 'utf8')).toBe('mine');
  expect(lstatSync(join(there, '.well-known/jwks.json')).isFile()).toBe(true);
});

test('a folder that cannot be made is named, and the reason', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  await expect(writeDocuments(file, documents)).rejects.toMatchObject({
    kind: 'documents-not-written',
    message: expect.stringMatching(/a-file\/\.well-known\/jwks\.json cannot be written \(ENOTDIR\)/),
  });
});

test('where a folder is in a document’s place, no draft is left behind', async () => {
  const there = newFolder();
  mkdirSync(join(there, '.well-known/jwks.json'), { recursive: true });
  await expect(writeDocuments(there, documents)).rejects.toMatchObject({ kind: 'documents-not-written' });
  expect(readdirSync(join(there, '.well-known'))).toEqual(['jwks.json']);
});
