/**
 * How the two ends of a shared connection notice that the other is gone, however it went: each holds a lock as long as
 * it lives, and the other waits for it. The browser lets go of it even for who was killed.
 */

import { randomKey } from "./key";

/** As much of the browser's `LockManager` as is used. */
export interface Locks {
  request(name: string, options: LockOptions, granted: () => Promise<void> | void): Promise<unknown>;
}

/** The browser's locks; pages that came without TLS, and Node before 24.5, have none. */
export function browserLocks(): Locks | undefined {
  return (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
}

/** Holds a lock from now on; its name, once it is held, or undefined where there are none. */
export function hold(locks: Locks | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (locks === undefined) {
      resolve(undefined);
      return;
    }
    const name = `hubbub/${randomKey()}`;
    const granted = () => {
      resolve(name);
      return new Promise<void>(() => {});
    };
    // A page without an origin of its own may not have any.
    locks.request(name, {}, granted).catch(() => resolve(undefined));
  });
}

/** Calls back once nobody holds a lock any more. */
export function whenReleased(locks: Locks | undefined, name: string | undefined, gone: () => void): void {
  if (name !== undefined) {
    // Shared: all who wait for the same end hear of it at once. A page that is closed itself waits no longer.
    locks?.request(name, { mode: "shared" }, gone).catch(() => {});
  }
}
