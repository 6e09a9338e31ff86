import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
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
    <dl class="request">
      {email && <Fact name="For">{email}</Fact>}
      <Fact name="Asked by">{client}</Fact>
      {machine && <Fact name="On">{machine}</Fact>}
      {Number.isNaN(time.getTime()) || (
        <Fact name="When">
          <time dateTime={requestedAt} title={time.toString()}>
            {ago(time, now)}, {timeOfDay(time, now)}
          </time>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
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
