import { type KeyName, keyLabel } from '../text/key-label.ts';

/**
 * What an invitation that replaces keys will do, for the person to read before they touch anything.
 *
 * @param keys the keys that stop working
 * @returns undefined when there are none
 */
export function replacesText(keys: readonly KeyName[]): string | undefined {
  const labels = keys.map(keyLabel);
  const last = labels.pop();
  if (last === undefined) return undefined;
  if (labels.length === 0) return `This replaces your key: ${last} stops working, and your sessions end.`;
  return `This replaces all your keys: ${labels.join(', ')} and ${last} stop working, and your sessions end.`;
}
