/** The messages of a room (see `useReading` for what happens as one scrolls, and `useRows` for keys). */

import { useMemo, useRef } from "preact/hooks";

import { t } from "../i18n/bundles";
import { dayOf } from "../i18n/dates";
import { rows } from "../room/groups";
import { preview } from "../room/sending";
import type { RoomState } from "../room/state";
import type { Room } from "../state/room";
import { useChat } from "./context";
import { MessageRow } from "./MessageRow";
import { Empty, IconButton, Spinner } from "./parts";
import { useMidnight } from "./useMidnight";
import { useReading } from "./useReading";
import { useRows } from "./useRows";

export function Timeline({ room, state }: { room: Room; state: RoomState }) {
  const chat = useChat();
  const me = chat.me.value;
  const list = useRef<HTMLOListElement>(null);
  const last = state.messages.at(-1);
  const sending = chat.sending.value;
  const shown = useMemo(() => {
    // What is being sent stands among the others, so that it stays the same row when it has arrived.
    const mine = state.isLive ? [...sending.values()].filter(({ said }) => said.room === room.id) : [];
    return rows([...state.messages, ...mine.map((one) => preview(one, me, last?.ts))], state.lastRead, me.user);
  }, [state.messages, state.isLive, state.lastRead, sending, me]);
  const nicks = useMemo(() => new Set([...state.members.values()].map(({ nick }) => nick.toLocaleLowerCase())), [state.members]);
  useMidnight();
  const { current, pick, handlers } = useRows(room, list, shown);
  const { box, isAway, onScroll } = useReading(room, state, list, shown, pick);

  return (
    <div class="timeline-frame">
      <div ref={box} class="timeline" onScroll={onScroll} tabIndex={-1}>
        {!state.hasOlder && <RoomStart state={state} />}
        {room.isLoadingOlder.value && <Spinner label={t("loading")} />}
        <ol ref={list} class="messages" role="list" aria-label={t("messages")} {...handlers}>
          {shown.map((row) =>
            row.kind === "day" ? (
              <li key={row.key} class="day">
                <span>{dayOf(row.ts)}</span>
              </li>
            ) : row.kind === "new" ? (
              <li key={row.key} class="new-line">
                <span>{t("new")}</span>
              </li>
            ) : (
              <MessageRow
                key={row.key}
                room={room}
                message={row.message}
                isFirst={row.isFirst}
                isActive={row.key === current}
                isMarked={row.message.id === room.marked.value?.id}
                nicks={nicks}
                pending={row.message.seq === 0 ? sending.get(row.message.nonce ?? "") : undefined}
              />
            ),
          )}
        </ol>
      </div>
      {(isAway || !state.isLive) && (
        <div class="to-latest">
          {state.missed > 0 && <span class="count">{state.missed}</span>}
          <IconButton icon="down" label={t("to-latest")} onClick={() => void room.latest()} />
        </div>
      )}
    </div>
  );
}

function RoomStart({ state }: { state: RoomState }) {
  return state.messages.length === 0 ? (
    <Empty icon="message" title={t("empty-room")}>
      <p>{t("empty-room-hint")}</p>
    </Empty>
  ) : (
    <p class="room-start">{t("room-start")}</p>
  );
}
