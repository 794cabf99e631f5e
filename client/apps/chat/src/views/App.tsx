/** Who is there: nobody yet, or somebody with a chat. */

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { t } from "../i18n/bundles";
import { logOut, whoAmI } from "../io/api";
import { Chat } from "../state/chat";
import type { Me, Welcome } from "../wire";
import { ChatPage } from "./ChatPage";
import { Empty, Spinner } from "./parts";
import { SessionContext } from "./session";
import { SignIn } from "./SignIn";

type Visit = { state: "asking" } | { state: "stranger"; welcome: Welcome } | { state: "in"; chat: Chat } | { state: "unreachable" };

export function App() {
  const [visit, setVisit] = useState<Visit>({ state: "asking" });
  const enter = (me: Me) => setVisit({ state: "in", chat: new Chat(signal(me)) });
  const ask = async () => {
    setVisit({ state: "asking" });
    try {
      const found = await whoAmI();
      if ("me" in found) {
        enter(found.me);
      } else {
        setVisit({ state: "stranger", welcome: found.welcome });
      }
    } catch {
      setVisit({ state: "unreachable" });
    }
  };
  useEffect(() => void ask(), []);
  switch (visit.state) {
    case "asking":
      return <Spinner label={t("loading")} />;
    case "unreachable":
      return (
        <main class="sign-in">
          <Empty icon="offline" title={t("no-connection")}>
            <button type="button" class="primary" onClick={() => void ask()}>
              {t("try-again")}
            </button>
          </Empty>
        </main>
      );
    case "stranger":
      return <SignIn welcome={visit.welcome} onSignedIn={enter} />;
    case "in": {
      const session = {
        leave: async () => {
          visit.chat.close();
          await logOut().catch(() => {});
          location.hash = "";
          location.reload();
        },
      };
      return (
        <SessionContext.Provider value={session}>
          <ChatPage chat={visit.chat} />
        </SessionContext.Provider>
      );
    }
  }
}
