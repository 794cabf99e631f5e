/** The chat that all views below are about. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import type { Chat } from "../state/chat";

export const ChatContext = createContext<Chat | undefined>(undefined);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (chat === undefined) {
    throw new Error("shown outside of a chat");
  }
  return chat;
}
