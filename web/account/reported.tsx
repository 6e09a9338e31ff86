import { awsSentence } from '../ui/aws-sentence.ts';
import { Actions, PrimaryButton } from '../ui/buttons.tsx';
import { FormattedText } from '../ui/formatted-text.tsx';
import { KeyDrawing } from '../ui/key-drawing.tsx';
import { Card } from '../ui/page.tsx';
import { useFocusOn } from '../ui/status.tsx';
import type { Ending } from './account.ts';

/** "This was not me" is done: what that means, and what to do next. */
export function Reported({ ending, onSignIn }: { ending: Ending; onSignIn: () => void }) {
  const aws = awsSentence(ending.awsCredentialsUntil, new Date());
  useFocusOn('reported', false);
  return (
    <Card>
      <KeyDrawing mood="off" />
      <h1 class="status-title" tabIndex={-1}>
        All your sessions have ended.
      </h1>
      <p class="status-text">
        {aws === undefined
          ? 'Nothing that you had from AWS is left.'
          : `${aws} Your administrator can end them earlier.`}
      </p>
      <ol class="steps">
        <li>
          <FormattedText text="Tell your administrator what you saw." />
        </li>
        <li>Sign in again, and remove any key that is not yours.</li>
      </ol>
      <Actions>
        <PrimaryButton onPress={onSignIn}>Sign in again</PrimaryButton>
      </Actions>
    </Card>
  );
}
