/** A command on a line of its own. A click selects all of it, and its words stay whole where they can. */
export function Command({ text }: { text: string }) {
  return (
    <p class="command">
      <code>
        {text.split(' ').map((word, index) => (
          <>
            {index > 0 && ' '}
            <span class="command-word">{word}</span>
          </>
        ))}
      </code>
    </p>
  );
}
