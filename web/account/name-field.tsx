import { FormattedText } from '../ui/formatted-text.tsx';

/** The most characters in a key's name, which the server checks too. */
export const longest = 40;

export interface NameFieldProps {
  id: string;
  label: string;
  hint?: string;
  name: string;
  trouble: string | undefined;
  setName: (name: string) => void;
}

/** A field for a key's name. */
export function NameField({ id, label, hint, name, trouble, setName }: NameFieldProps) {
  return (
    <>
      <label class="label" for={id}>
        {label}
      </label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input
        class="field"
        id={id}
        type="text"
        data-autofocus
        autocomplete="off"
        maxLength={longest}
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
        aria-describedby={hint ? `${id}-hint ${id}-status` : `${id}-status`}
        aria-invalid={trouble !== undefined}
      />
      <div class="form-status" id={`${id}-status`} role="status">
        {trouble && (
          <p class="form-trouble">
            <FormattedText text={trouble} />
          </p>
        )}
      </div>
    </>
  );
}

/** What is wrong with a name, as far as the page can tell. */
export function troubleWithName(name: string): string | undefined {
  if (name === '') return 'Enter a name first.';
  return name.length > longest ? `A name has at most ${longest} characters.` : undefined;
}
