/** How browsers refuse. Each of these runs in the page, before its own scripts. */

/** The browser refuses once somebody has had the time to cancel. */
export function cancelsSlowly() {
  let later = 0;
  const now = performance.now.bind(performance);
  performance.now = () => now() + later;
  const cancel = () => {
    later += 5_000;
    return Promise.reject(new DOMException('The operation was cancelled', 'NotAllowedError'));
  };
  navigator.credentials.get = cancel;
  navigator.credentials.create = cancel;
}

/** The browser wants a press first. */
export function wantsPress() {
  const refuse = () => Promise.reject(new DOMException('A user gesture is required', 'NotAllowedError'));
  navigator.credentials.get = refuse;
  navigator.credentials.create = refuse;
}

export function keyIsUnfit() {
  navigator.credentials.create = () => Promise.reject(new DOMException('No UV', 'ConstraintError'));
}
