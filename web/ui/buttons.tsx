import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  onPress: () => void;
  children: ComponentChildren;
}

export function PrimaryButton({ onPress, children }: ButtonProps) {
  return (
    <button type="button" class="button button-primary" data-primary onClick={onPress}>
      {children}
    </button>
  );
}

export function QuietButton({ onPress, children }: ButtonProps) {
  return (
    <button type="button" class="button button-quiet" data-cancel onClick={onPress}>
      {children}
    </button>
  );
}
