import { createHash } from 'node:crypto';
import { type Certificate, readCertificate } from '../certificates/certificate.ts';
import { findPaths, type Path } from '../certificates/chain.ts';
import type { ModelMetadata } from '../fido-metadata/metadata.ts';
import type { Attestation } from './attestation.ts';

/**
 * The path by which a key's attestation leads to a certificate that is trusted to attest its model.
 *
 * @param roots certificates that are trusted for any model
 * @param model what the metadata says about the model that the key says it is
 * @param key `enrolledAt` in milliseconds since the epoch: when the certificates must have been valid
 */
export function proofOf(
  roots: readonly Certificate[],
  model: ModelMetadata | undefined,
  { aaguid, attestation, enrolledAt }: { aaguid: string; attestation: Attestation | null; enrolledAt: number },
): Path | undefined {
  // A U2F attestation does not cover the model (WebAuthn, section 8.6).
  if (attestation?.fmt !== 'packed') return undefined;
  const memory = memoryOf(roots, model);
  return pathsOf(memory, attestation.x5c).find(({ certificates, anchor, from, until }) => {
    // A root that attests several models leaves it to the certificate to say which (WebAuthn, section 8.2.1).
    const { aaguid: named, authority } = certificates[0] ?? {};
    const attestsModel = named === undefined ? memory.ofOneModel.has(anchor) : named === aaguid;
    return !authority && attestsModel && from <= enrolledAt && enrolledAt <= until;
  });
}

/** The certificates that are trusted to attest a model, and what was found with them. */
interface Memory {
  roots: readonly Certificate[];
  trusted: readonly Certificate[];
  /** Those of them that attest no other model. */
  ofOneModel: ReadonlySet<Certificate>;
  /** By a hash of the list of certificates. */
  paths: Map<string, readonly Path[]>;
}

/** The most lists of certificates that are remembered for a model. Some 100,000 keys of a model share one. */
const MAX_REMEMBERED = 1_000;

/** Paths that were found before, because verifying signatures takes time. They are forgotten with the metadata. */
const memories = new WeakMap<object, Memory>();

function pathsOf({ trusted, paths }: Memory, x5c: readonly string[]): readonly Path[] {
  if (trusted.length === 0) return [];
  const hash = createHash('sha256').update(x5c.join(' ')).digest('base64');
  const before = paths.get(hash);
  if (before !== undefined) return before;
  const found = findPaths(readAll(x5c), trusted);
  if (paths.size >= MAX_REMEMBERED) paths.clear();
  paths.set(hash, found);
  return found;
}

function memoryOf(roots: readonly Certificate[], model: ModelMetadata | undefined): Memory {
  const place = model ?? roots;
  const before = memories.get(place);
  if (before?.roots === roots) return before;
  const ofModel = (model?.roots ?? []).flatMap(({ der, ofSeveralModels }) =>
    readAll([der.toString('base64')]).map((certificate) => ({ certificate, ofSeveralModels })),
  );
  const memory = {
    roots,
    trusted: [...ofModel.map(({ certificate }) => certificate), ...roots],
    ofOneModel: new Set(ofModel.filter((one) => !one.ofSeveralModels).map(({ certificate }) => certificate)),
    paths: new Map<string, readonly Path[]>(),
  };
  memories.set(place, memory);
  return memory;
}

/** The certificates, or none when one of them cannot be read. @param list DER in base64 */
function readAll(list: readonly string[]): Certificate[] {
  try {
    return list.map((der) => readCertificate(Buffer.from(der, 'base64')));
  } catch {
    return [];
  }
}
