/** Plain text, never HTML. Text between backticks is shown as a command. */
export function FormattedText({ text }: { text: string }) {
  return <>{text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
