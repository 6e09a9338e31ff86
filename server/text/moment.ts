const UNITS = { m: 60_000, h: 3600_000, d: 24 * 3600_000, w: 7 * 24 * 3600_000 };

/**
 * Reads a moment as people write it: `90m`, `24h`, `7d` or `2w` ago; a day, or a day and a time (RFC 3339, or with a blank), in the time
 * zone of this process unless it names its own.
 *
 * @param now milliseconds since the epoch
 * @returns milliseconds since the epoch; undefined if it is none of these
 */
export function readMoment(text: string, now: number): number | undefined {
  const ago = /^(?<count>\d{1,5})(?<unit>[mhdw])$/.exec(text)?.groups;
  if (ago !== undefined) return now - Number(ago.count) * UNITS[ago.unit as keyof typeof UNITS];
  const found =
    /^(?<day>\d{4}-\d\d-\d\d)([T ](?<time>([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?)(?<zone>Z|[+-]([01]\d|2[0-3]):[0-5]\d)?)?$/.exec(
      text,
    )?.groups;
  if (found === undefined) return undefined;
  const { day = '', time = '00:00', zone = '' } = found;
  // JavaScript takes the 31st of February for one in March.
  if (Number.isNaN(Date.parse(day)) || !new Date(`${day}T00:00Z`).toISOString().startsWith(day)) return undefined;
  return Date.parse(`${day}T${time}${zone}`);
}
