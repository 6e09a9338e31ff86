import { Notice } from '../ui/notice.tsx';

/** Says which keys the new one takes the place of. */
export function ReplacesNotice({ keys }: { keys: { name: string }[] }) {
  const names = keys.map(({ name }) => `“${name}”`);
  const shown = names.length <= 3 ? new Intl.ListFormat('en').format(names) : `your ${names.length} keys`;
  return (
    <Notice tone="warning">
      {names.length === 0
        ? 'This invitation replaces your keys.'
        : `The new key replaces ${shown}, which then stop working. Your sessions end.`}
    </Notice>
  );
}
