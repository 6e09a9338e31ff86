import { useEffect } from 'preact/hooks';
import { lastAnswerAt } from './requests.ts';

/** How often to look, in milliseconds. A timer of 15 minutes would sleep when the computer does. */
const lookEvery = 5_000;

/** Whether the server has ended the session for want of requests, or is about to: it counts to half a minute. */
export function isIdle(seconds: number): boolean {
  return Date.now() - lastAnswerAt() >= (seconds - 30) * 1000;
}

/** Calls back once nobody has used the page for so long. @param seconds undefined when nobody is signed in */
export function useIdleEnd(seconds: number | undefined, onIdle: () => void): void {
  useEffect(() => {
    if (seconds === undefined) return;
    const look = () => {
      if (Date.now() - lastAnswerAt() >= seconds * 1000) onIdle();
    };
    const timer = setInterval(look, lookEvery);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [seconds]);
}
