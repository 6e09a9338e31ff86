/** Waits until the person looks at this tab: one in the background must not ask for a touch. */
export function whenVisible(): Promise<void> {
  if (document.visibilityState === 'visible') return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', function changed() {
      if (document.visibilityState !== 'visible') return;
      document.removeEventListener('visibilitychange', changed);
      resolve();
    });
  });
}
