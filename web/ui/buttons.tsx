import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  id?: string;
  onPress: () => void;
  children: ComponentChildren;
}

/** What can be done here, side by side: at most one primary button, then the quiet ones. */
export function Actions({ children }: { children: ComponentChildren }) {
  return <div class="actions">{children}</div>;
}

export function PrimaryButton({ id, onPress, children }: ButtonProps) {
  return (
    <button type="button" class="button button-primary" id={id} data-primary onClick={onPress}>
      {children}
    </button>
  );
}

export function CancelButton({ onPress }: Pick<ButtonProps, 'onPress'>) {
  return (
    <button type="button" class="button button-quiet" data-cancel onClick={onPress}>
      Cancel
    </button>
  );
}
