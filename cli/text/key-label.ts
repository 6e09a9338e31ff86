import { printable } from './printable.ts';

/** A security key: the owner's name for it, and the maker's name for the model. */
export interface KeyName {
  name: string;
  model: string | null;
}

/** A key for a person: "Work key" (YubiKey 5C NFC). */
export function keyLabel(key: KeyName): string {
  const [name, model] = [printable(key.name, 100), printable(key.model ?? '', 100)];
  return model === '' || key.model === key.name ? `"${name}"` : `"${name}" (${model})`;
}
