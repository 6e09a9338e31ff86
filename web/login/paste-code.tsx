import { useEffect, useState } from 'preact/hooks';
import { Actions, PrimaryButton } from '../ui/buttons.tsx';
import { Notice } from '../ui/notice.tsx';
import { timeOfDay } from '../ui/time.ts';

export interface PasteCodeProps {
  /** The words of the sign-in, with hyphens, and its code. */
  text: string;
  /** Until when the server takes it, in milliseconds of this browser's clock. */
  until: number;
  /** Called when that time has come. */
  onOver: () => void;
}

/** The code that the person carries to the terminal. It is in this page alone, and goes when its time is over. */
export function PasteCode({ text, until, onOver }: PasteCodeProps) {
  const [said, say] = useState('Copy the code');
  useEffect(() => {
    const timer = setTimeout(onOver, Math.max(0, until - Date.now()));
    return () => clearTimeout(timer);
  }, [until]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say('Copied');
    } catch {
      say('Please copy it by hand');
    }
  };
  return (
    <>
      <p class="command">
        <code class="paste-code">{text}</code>
      </p>
      <Notice tone="refused">
        <strong>Give this code to nobody.</strong> Whoever you read or send it to can work as you all day. No
        administrator needs it.
      </Notice>
      <Actions>
        <PrimaryButton onPress={copy}>{said}</PrimaryButton>
      </Actions>
      <p class="status-text paste-until">It works once, and ends {timeOfDay(new Date(until), new Date())}.</p>
    </>
  );
}
