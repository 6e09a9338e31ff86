import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  onPress: () => void;
  children: ComponentChildren;
}

/** What can be done here, side by side: at most one primary button, then the quiet ones. */
export function Actions({ children }: { children: ComponentChildren }) {
  return <div class="actions">{children}</div>;
}

export function PrimaryButton({ onPress, children }: ButtonProps) {
  return (
    <button type="button" class="button button-primary" data-primary onClick={onPress}>
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
