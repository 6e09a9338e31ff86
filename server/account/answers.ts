import { isoTime } from '../text/iso-time.ts';
import type { HistoryEvent } from './history.ts';
import type { OwnKey, Removal } from './keys.ts';
import type { AgentSession, BrowserSession, Ending } from './sessions.ts';

/** The answers' form in JSON: times are ISO 8601. docs/http-api.md describes them. */

export function keyAnswer(key: OwnKey) {
  return { ...key, addedAt: isoTime(key.addedAt), lastUsedAt: isoTime(key.lastUsedAt) };
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
  return { ...ending, awsCredentialsUntil: isoTime(ending.awsCredentialsUntil) };
}
