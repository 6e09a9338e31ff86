import type { HistoryEvent } from './history.ts';
import type { OwnKey, Removal } from './keys.ts';
import type { AgentSession, BrowserSession, Ending } from './sessions.ts';

/** The answers' form in JSON: times are ISO 8601. docs/http-api.md describes them. */

export const isoTime = (time: number) => new Date(time).toISOString();

const isoTimeOrNull = (time: number | null | undefined) => (time === null || time === undefined ? null : isoTime(time));

export function keyAnswer(key: OwnKey) {
  return { ...key, addedAt: isoTime(key.addedAt), lastUsedAt: isoTimeOrNull(key.lastUsedAt) };
}

export function sessionsAnswer({ sessions, browsers }: { sessions: AgentSession[]; browsers: BrowserSession[] }) {
  return {
    sessions: sessions.map((session) => ({
      ...session,
      since: isoTime(session.since),
      until: isoTime(session.until),
      lastRole: session.lastRole && { arn: session.lastRole.arn, at: isoTime(session.lastRole.at) },
    })),
    browsers: browsers.map((one) => ({ ...one, touchedAt: isoTime(one.touchedAt), seenAt: isoTime(one.seenAt) })),
  };
}

export function historyAnswer({ events, before }: { events: HistoryEvent[]; before: number | null }) {
  return { events: events.map((event) => ({ ...event, at: isoTime(event.at) })), before };
}

export function endingAnswer<What extends Ending | Removal>(ending: What) {
  return { ...ending, awsCredentialsUntil: isoTimeOrNull(ending.awsCredentialsUntil) };
}
