/** The words that the terminal shows too. Unlike the requester's names, nobody can choose them. */
export function TerminalWords({ before, words, after }: { before: string; words: string; after: string }) {
  return (
    <p class="words">
      {before} <strong>{words}</strong> {after}
    </p>
  );
}
