import { useState } from 'preact/hooks';
import type { Explanation } from '../ui/explain.ts';
import { Words } from '../ui/words.tsx';

export interface InvitationFormProps {
  busy: boolean;
  refusal: Explanation | undefined;
  onSubmit: (invitation: string) => void;
}

/** For those who came without `vouch enroll`: one field, one button. */
export function InvitationForm({ busy, refusal, onSubmit }: InvitationFormProps) {
  const [code, setCode] = useState('');
  const [empty, setEmpty] = useState(false);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const invitation = code.trim();
    setEmpty(invitation === '');
    if (invitation === '') document.getElementById('invitation')?.focus();
    else if (!busy) onSubmit(invitation);
  };

  return (
    <form class="form" onSubmit={submit} noValidate>
      <label class="label" for="invitation">
        Invitation code
      </label>
      <p class="hint" id="invitation-hint">
        Your administrator sent it to you. It works once.
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
        aria-invalid={refusal !== undefined || empty}
      />
      <div class="form-status" id="invitation-status" role="status" aria-live="polite" data-status={refusal?.kind}>
        {empty && <p>Enter the code first.</p>}
        {!empty && refusal && (
          <p>
            <strong>{refusal.title}</strong> <Words text={refusal.next} />
          </p>
        )}
        {busy && <p>Checking …</p>}
      </div>
      <button type="submit" class="button button-primary" data-primary aria-disabled={busy}>
        Continue
      </button>
    </form>
  );
}
