/** Ends the visit, from wherever in the page. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

export interface Session {
  leave(): Promise<void>;
}

export const SessionContext = createContext<Session>({ leave: async () => {} });
export const useSession = () => useContext(SessionContext);
