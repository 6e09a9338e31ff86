/** What the drawing shows: touch here, wait, nothing more to do, done, try again, or refused. */
export type KeyMood = 'touch' | 'rest' | 'off' | 'done' | 'warning' | 'refused';

/** The sign on the key's disc. A tick, a "!" and a cross differ without their colours too. */
const finger = 'M133 74a9 9 0 0 1 18 0M128 74a14 14 0 0 1 28 0M138 74a4 4 0 0 1 8 0';
const marks: Record<KeyMood, string> = {
  touch: finger,
  rest: finger,
  off: finger,
  done: 'm131 67 8 8 15-17',
  warning: 'M142 53v15M142 78v.5',
  refused: 'm132.5 56.5 19 19M151.5 56.5l-19 19',
};

/**
 * A security key, with the place to touch in the accent colour. Screen readers skip it: the words beside it say the same.
 * `style.css` animates the rings, but not for people who prefer reduced motion.
 */
export function KeyDrawing({ mood }: { mood: KeyMood }) {
  return (
    <svg class="key" data-mood={mood} viewBox="13 23 252 86" width="252" height="86" aria-hidden="true">
      {/* the plug */}
      <rect class="key-plug" x="14" y="46" width="52" height="40" rx="3" />
      <rect class="key-pin" x="26" y="56" width="22" height="7" rx="1.5" />
      <rect class="key-pin" x="26" y="69" width="22" height="7" rx="1.5" />
      {/* the body, with the hole for the key ring */}
      <path
        class="key-body"
        fill-rule="evenodd"
        d="M74 24h148a42 42 0 0 1 0 84H74a12 12 0 0 1-12-12V36a12 12 0 0 1 12-12Zm158 30a12 12 0 1 0 0 24 12 12 0 0 0 0-24Z"
      />
      {/* the contact */}
      <circle class="key-ring key-ring-1" cx="142" cy="66" r="26" />
      <circle class="key-ring key-ring-2" cx="142" cy="66" r="26" />
      <circle class="key-disc" cx="142" cy="66" r="26" />
      <path class="key-mark" d={marks[mood]} />
    </svg>
  );
}
