/** What to do about something that somebody else did. */
export function NotMe({ question, onReport }: { question: string; onReport: (from: string) => void }) {
  return (
    <div class="not-me">
      <p>{question}</p>
      <button type="button" class="button button-danger" id="not-me" onClick={() => onReport('not-me')}>
        This was not me
      </button>
    </div>
  );
}
