import type { Metadata } from '../fido-metadata/metadata.ts';

/** The picture of a model, a PNG that the metadata has; undefined if there is none. */
export function iconOf(metadata: Metadata | undefined, aaguid: string): Buffer | undefined {
  return metadata?.models.get(aaguid)?.icon;
}

/** Where the server has that picture; null if there is none. */
export function iconPath(metadata: Metadata | undefined, aaguid: string): string | null {
  return iconOf(metadata, aaguid) === undefined ? null : `/key-icons/${aaguid}`;
}
