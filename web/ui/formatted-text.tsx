import { aboutServer } from './about-server.ts';
import { Contact } from './contact.tsx';

/** Plain text, never HTML. Text between backticks is shown as a command, and "your administrator" with how to reach them. */
export function FormattedText({ text }: { text: string }) {
  return (
    <>
      {text
        .split('`')
        .map((part, index) =>
          index % 2 === 1 ? <code key={index}>{part}</code> : <Sentences key={index} text={part} />,
        )}
    </>
  );
}

const administrator = 'your administrator';

function Sentences({ text }: { text: string }) {
  const { contact } = aboutServer();
  if (contact === '') return <>{text}</>;
  // The server's own texts have it already.
  const parts = text.replaceAll(`${administrator} (${contact})`, administrator).split(administrator);
  return (
    <>
      {parts.map((part, index) => (
        <>
          {index > 0 && (
            <>
              {administrator} (<Contact />)
            </>
          )}
          {part}
        </>
      ))}
    </>
  );
}
