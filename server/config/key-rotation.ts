import { settingRefused } from '../problem/setting-refused.ts';

/**
 * After how many days another signing key takes over; undefined if only an administrator changes it.
 *
 * @param value VOUCH_KEY_ROTATION_DAYS
 * @throws Problem `setting-refused`
 */
export function readKeyRotation(value = '90'): number | undefined {
  if (value === 'off') return undefined;
  const days = Number(value);
  // A key is published for a day before it signs.
  if (!/^\d{1,4}$/.test(value) || days < 1 || days > 3650) {
    throw settingRefused('VOUCH_KEY_ROTATION_DAYS', value, 'a whole number of days from 1 to 3650, or off');
  }
  return days;
}
