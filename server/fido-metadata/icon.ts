const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** In bytes. Most icons have less than 20 KiB. */
const MAX_SIZE = 256 * 1024;

/**
 * The picture in an `icon` of a metadata statement: a `data:` URL with a PNG (FIDO Metadata Statement v3.1, section 4, `icon`).
 *
 * @returns undefined for another kind of picture (an SVG can hold a script) and for one that is too big
 */
export function readIcon(icon: unknown): Buffer | undefined {
  const match = typeof icon === 'string' ? /^data:image\/png;base64,([\w+/=\s-]+)$/.exec(icon) : null;
  const [, base64 = ''] = match ?? [];
  if (base64.length === 0 || base64.length > 2 * MAX_SIZE) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const isPng = bytes.subarray(0, PNG.length).equals(PNG) && bytes.toString('latin1', 12, 16) === 'IHDR';
  return isPng && bytes.length <= MAX_SIZE ? bytes : undefined;
}
