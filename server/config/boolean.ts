import { settingRefused } from '../problem/setting-refused.ts';

/** A setting that is `true` or `false`; by default false. @throws Problem `setting-refused` */
export function readBoolean(env: Record<string, string | undefined>, name: string): boolean {
  const value = env[name] ?? 'false';
  if (value !== 'true' && value !== 'false') throw settingRefused(name, value, 'true or false');
  return value === 'true';
}
