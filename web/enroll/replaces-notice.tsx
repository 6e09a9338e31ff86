import { Notice } from '../ui/notice.tsx';

/** Says which keys the new one takes the place of. */
export function ReplacesNotice({ keys }: { keys: { name: string }[] }) {
  if (keys.length === 0) return null;
  const names = keys.map(({ name }) => `“${name}”`);
  const shown = names.length <= 3 ? new Intl.ListFormat('en').format(names) : `your ${names.length} keys`;
  return (
    <Notice tone="warning">
      The new key replaces {shown}, which {keys.length === 1 ? 'stops' : 'stop'} working then. Your sessions end.
    </Notice>
  );
}
