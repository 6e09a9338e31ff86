import { Command } from '../ui/command.tsx';
import { FormattedText } from '../ui/formatted-text.tsx';
import { Help } from '../ui/help.tsx';

/** What to ask for when a key is enrolled, but the person no longer has it. */
export function LostKeyHelp({ email }: { email: string }) {
  return (
    <Help question="I no longer have that key">
      <p>
        <FormattedText text="This invitation only adds a key. Ask your administrator for one that replaces the keys you had. It is made with" />
      </p>
      <Command text={`vouch-server invite ${email} --replace-keys`} />
    </Help>
  );
}
