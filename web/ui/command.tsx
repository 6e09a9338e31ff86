/** A command on a line of its own. A click selects all of it. */
export function Command({ text }: { text: string }) {
  return (
    <p class="command">
      <code>{text}</code>
    </p>
  );
}
