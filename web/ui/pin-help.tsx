import { Command } from './command.tsx';
import type { Explanation } from './explain/explanation.ts';
import { FormattedText } from './formatted-text.tsx';
import { Help } from './help.tsx';

/** What to do about a PIN or a full key. Folded, because only the browser knows whether it applies. */
export function PinHelp({ explanation }: { explanation: Explanation }) {
  const { mayBePin, mayBeFull } = explanation;
  if (!mayBePin) return null;
  return (
    <Help question={`Did your browser mention a PIN${mayBeFull ? ' or a full key' : ''}?`}>
      {mayBeFull && (
        <p>
          <strong>The key is full:</strong> it has room for only so many passkeys. Delete one that you no longer need,
          in your browser’s or system’s security key settings, then try again. Or use another key.
        </p>
      )}
      <p>
        <strong>No PIN yet:</strong> set one in your browser’s or system’s security key settings, then try again.
      </p>
      <p>
        <strong>Blocked for now:</strong> unplug the key, plug it in again, and enter the PIN carefully.
      </p>
      <p>
        <strong>Blocked for good</strong> (after 8 wrong PINs): the key’s FIDO application must be reset, which erases
        it.{' '}
        <FormattedText text="A key that was reset is a new key, and must be enrolled again. If it was your only one, ask your administrator for an invitation made with" />
      </p>
      <Command text="vouch-server invite EMAIL --replace-keys" />
    </Help>
  );
}
