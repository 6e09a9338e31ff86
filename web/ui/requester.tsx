import { useEffect, useState } from 'preact/hooks';
import { Fact, Facts } from './facts.tsx';
import { ago, timeOfDay } from './time.ts';

export interface RequesterProps {
  email?: string;
  client: string;
  machine: string | null;
  requestedAt: string;
}

/** Who asks, from where and when: people recognise a request that isn't theirs. */
export function Requester({ email, client, machine, requestedAt }: RequesterProps) {
  const now = useNow();
  const time = new Date(requestedAt);
  return (
    <Facts>
      {email && <Fact name="For">{email}</Fact>}
      <Fact name="From">
        {client}
        {machine && ` on ${machine}`}
      </Fact>
      {Number.isNaN(time.getTime()) || (
        <Fact name="When">
          <time dateTime={requestedAt} title={time.toString()}>
            {ago(time, now)}, {timeOfDay(time, now)}
          </time>
        </Fact>
      )}
    </Facts>
  );
}

/** The time, renewed often enough for "2 minutes ago". */
function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 20_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
