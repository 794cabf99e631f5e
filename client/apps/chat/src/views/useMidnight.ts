/** A page that is left open says "today" of no day that is over. */

import { useEffect, useState } from "preact/hooks";

const LOOK_MS = 60_000;
const today = () => new Date().toDateString();

/** Shows anew whoever uses it when a day begins. */
export function useMidnight(): void {
  const [, setDay] = useState(today);
  useEffect(() => {
    // Looked at again and again: a machine that was asleep at midnight has missed it.
    const timer = setInterval(() => setDay(today()), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
}
