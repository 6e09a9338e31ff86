import { useState } from 'preact/hooks';
import { Actions } from '../ui/buttons.tsx';
import type { Explanation } from '../ui/explain/explanation.ts';
import { FormattedText } from '../ui/formatted-text.tsx';

export interface InvitationFormProps {
  busy: boolean;
  refusal: Explanation | undefined;
  onSubmit: (invitation: string) => void;
}

/** For people who come without `vouch enroll`. */
export function InvitationForm({ busy, refusal, onSubmit }: InvitationFormProps) {
  const [code, setCode] = useState('');
  const [trouble, setTrouble] = useState<string>();

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const invitation = code.trim();
    const found = troubleWith(invitation);
    setTrouble(found);
    if (found !== undefined) document.getElementById('invitation')?.focus();
    else if (!busy) onSubmit(invitation);
  };

  return (
    <form class="form" onSubmit={submit} noValidate>
      <label class="label" for="invitation">
        Invitation code
      </label>
      <p class="hint" id="invitation-hint">
        <FormattedText text="It comes from your administrator, and works once." />
      </p>
      <input
        class="field"
        id="invitation"
        name="invitation"
        type="text"
        data-autofocus
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={code}
        onInput={(event) => setCode(event.currentTarget.value)}
        aria-describedby="invitation-hint invitation-status"
        aria-invalid={refusal !== undefined || trouble !== undefined}
      />
      <div class="form-status" id="invitation-status" role="status" aria-live="polite" data-status={refusal?.kind}>
        {trouble && <p class="form-trouble">{trouble}</p>}
        {!trouble && refusal && (
          <p class="form-trouble">
            <strong>{refusal.title}</strong> <FormattedText text={refusal.advice} />
          </p>
        )}
        {busy && <p>Checking…</p>}
      </div>
      <Actions>
        <button type="submit" class="button button-primary" data-primary aria-disabled={busy}>
          Continue
        </button>
      </Actions>
    </form>
  );
}

/** What is wrong with a code, as far as the page can tell: it has 26 letters and digits, in any groups. */
function troubleWith(code: string): string | undefined {
  const { length } = code.replace(/[\s\p{Pd}]/gu, '');
  if (length === 0) return 'Enter the code first.';
  return length === 26
    ? undefined
    : `That code has ${length} letters and digits instead of 26. Check it and try again.`;
}
