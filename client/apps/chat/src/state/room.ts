/** One open room: its state kept current, what is typed in it, who is there. */

import { computed, signal } from "@preact/signals";

import { reasonOf } from "../i18n/refusals";
import { isTemporary, type Connection } from "../io/connection";
import { backoff, Resumer } from "../room/resume";
import { apply, jumped, opened, parted, seen, trimmed, withMembers, withNewer, withOlder, type RoomState } from "../room/state";
import type { MemberPage, Message, Opened, Page, Presence, RoomEvent, Synced, Typing } from "../wire";

const PAGE = 50;
const KEPT = 300;
const TYPING_MS = 6_000;

export class Room {
  readonly state = signal<RoomState | undefined>(undefined);
  readonly error = signal("");
  readonly typing = signal<readonly string[]>([]);
  /** Users who are there. */
  readonly present = signal<ReadonlySet<string>>(new Set());
  /** The message to show and mark: a search result, the target of a reply. A new object each time: it is shown again. */
  readonly marked = signal<{ id: string } | undefined>(undefined);
  /** A new object each time its end is to be shown. */
  readonly end = signal<object | undefined>(undefined);
  /** Whether its reader is at its end: who reads further up must not lose what is before their eyes. */
  isFollowed = true;
  readonly isLoadingOlder = signal(false);
  readonly replyTo = signal<string | undefined>(undefined);
  readonly editing = signal<string | undefined>(undefined);
  readonly draft = signal("");
  readonly nicks = computed(() => new Map([...(this.state.value?.members ?? [])].map(([user, { nick }]) => [user, nick])));

  private readonly resumer: Resumer<RoomEvent>;
  private opening: Promise<void> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private isLoadingNewer = false;
  /** What happened while pages of the history were asked for, to be done to their messages, too. */
  private readonly meanwhile = new Set<RoomEvent[]>();
  private readonly typists = new Map<string, ReturnType<typeof setTimeout>>();

  /**
   * @param id the room
   * @param connection what carries calls
   * @param heard hears of each event once, when it is new
   */
  constructor(
    readonly id: string,
    private readonly connection: Connection,
    private readonly heard: (event: RoomEvent) => void,
  ) {
    this.resumer = new Resumer<RoomEvent>(
      undefined,
      (event) => this.applied(event),
      (after) => this.connection.rpc<Synced>("sync", { room: this.id, after }),
      () => void this.open(),
      (error, times) => this.failed(error, times),
    );
  }

  get isOpen(): boolean {
    return this.state.value !== undefined;
  }

  /** Loads what is needed to show it, its newest messages; once at a time. */
  open(): Promise<void> {
    this.opening ??= this.load().finally(() => {
      this.opening = undefined;
    });
    return this.opening;
  }

  private async load(): Promise<void> {
    this.error.value = "";
    try {
      await this.resumer.load(
        () => this.connection.rpc<Opened>("rooms.open", { room: this.id, limit: PAGE }),
        (answer) => this.loaded(answer),
      );
    } catch (error) {
      this.error.value = reasonOf(error);
    }
  }

  private loaded(answer: Opened): void {
    this.state.value = opened(answer);
    this.present.value = new Set(answer.members.filter(({ online }) => online).map(({ user }) => user));
    // Nobody waits for these: the first answer has those who are there.
    this.loadMembers(answer.next).catch(() => {});
  }

  private applied(event: RoomEvent): void {
    const state = this.state.value;
    // What came while the room was being loaded may be in there, as it is now.
    if (state !== undefined && event.seq > state.seq) {
      this.state.value = this.isFollowed ? trimmed(apply(state, event), KEPT) : apply(parted(state, KEPT), event);
    }
    if (event.type === "message") {
      this.stopped(event.message.user);
    } else {
      this.meanwhile.forEach((events) => events.push(event));
    }
    this.heard(event);
  }

  /** Something arrived on the room's channel. */
  take(data: RoomEvent | Typing | Presence): void {
    if (data.type === "typing") {
      this.typed(data);
    } else if (data.type === "presence") {
      this.changed(data);
    } else {
      this.resumer.take(data);
    }
  }

  /** Something may have been missed. */
  sync(): void {
    void this.resumer.sync();
  }

  /** Nothing was missed since it was heard last; what could not be asked for then is asked for now. */
  resume(): void {
    void this.resumer.catchUp();
  }

  /** With the next connection it is asked again; a busy server is asked later. */
  private failed(error: unknown, times: number): void {
    clearTimeout(this.again);
    if (this.connection.status.value === "connected" && isTemporary(error)) {
      this.again = setTimeout(() => this.resume(), backoff(times, Math.random()));
    }
  }

  private typed({ user, on }: Typing): void {
    this.stopped(user);
    if (on) {
      this.typists.set(user, setTimeout(() => this.stopped(user), TYPING_MS));
      this.typing.value = [...this.typists.keys()];
    }
  }

  private stopped(user: string): void {
    clearTimeout(this.typists.get(user));
    if (this.typists.delete(user)) {
      this.typing.value = [...this.typists.keys()];
    }
  }

  /** Those members who did not fit the first answer. */
  private async loadMembers(next: string | undefined): Promise<void> {
    for (let after = next; after; ) {
      const page: MemberPage = await this.connection.rpc("members", { room: this.id, after });
      this.change((now) => withMembers(now, page.members));
      this.changed({ type: "presence", online: page.members.filter(({ online }) => online).map(({ user }) => user) });
      after = page.next;
    }
  }

  /** Who is there, anew: nobody told while it was not heard. */
  recount(): void {
    if (this.isOpen && this.opening === undefined) {
      this.present.value = new Set();
      this.loadMembers("0").catch(() => {});
    }
  }

  private changed({ online = [], offline = [] }: Presence): void {
    const present = new Set(this.present.value);
    for (const user of offline) {
      present.delete(user);
      this.stopped(user);
    }
    for (const user of online) {
      present.add(user);
    }
    this.present.value = present;
  }

  async loadOlder(): Promise<void> {
    const state = this.state.value;
    const first = state?.messages[0];
    if (first === undefined || !state?.hasOlder || this.isLoadingOlder.value) {
      return;
    }
    this.isLoadingOlder.value = true;
    try {
      // A window that is elsewhere by now would have a hole.
      await this.turn({ before: first.id }, (now, page) => (now.messages[0]?.id === first.id ? withOlder(now, page) : now));
    } catch {
      // Scrolling on asks again.
    } finally {
      this.isLoadingOlder.value = false;
    }
  }

  async loadNewer(): Promise<void> {
    const state = this.state.value;
    const last = state?.messages.at(-1);
    if (state === undefined || last === undefined || state.isLive || this.isLoadingNewer) {
      return;
    }
    this.isLoadingNewer = true;
    try {
      await this.turn({ after: last.id }, (now, page) =>
        now.isLive || now.messages.at(-1)?.id !== last.id ? now : withNewer(now, page, state.newest),
      );
    } catch {
      // Scrolling on asks again.
    } finally {
      this.isLoadingNewer = false;
    }
  }

  /** Shows a message, wherever in the history it is. */
  async jump(id: string): Promise<void> {
    if (!this.state.value?.messages.some((message) => message.id === id)) {
      await this.turn({ around: id }, jumped);
    }
    this.marked.value = { id };
  }

  /** Shows the first message of a day. */
  async jumpTo(ts: number): Promise<void> {
    const { messages } = await this.turn({ at: ts }, (now, page) => (page.messages.length > 0 ? jumped(now, page) : now));
    const found = messages.find((message) => message.ts >= ts) ?? messages.at(-1);
    if (found !== undefined) {
      this.marked.value = { id: found.id };
    }
  }

  /** Back to the newest. */
  async latest(): Promise<void> {
    this.marked.value = undefined;
    if (!this.state.value?.isLive) {
      await this.open();
    }
    this.end.value = {};
  }

  /** The reader goes elsewhere, having read all. */
  leftBehind(): void {
    this.change(seen);
  }

  message(id: string): Message | undefined {
    return this.state.value?.messages.find((message) => message.id === id);
  }

  /** Turns to a page of the history; what was edited or deleted since it was made is so in it, too. */
  private async turn(where: Record<string, unknown>, put: (now: RoomState, page: Page) => RoomState): Promise<Page> {
    const events: RoomEvent[] = [];
    this.meanwhile.add(events);
    try {
      const page = await this.connection.rpc<Page>("history", { room: this.id, limit: PAGE, ...where });
      this.change((now) => {
        const next = put(now, page);
        return next === now ? now : events.reduce(apply, next);
      });
      return page;
    } finally {
      this.meanwhile.delete(events);
    }
  }

  private change(made: (state: RoomState) => RoomState): void {
    if (this.state.value !== undefined) {
      this.state.value = made(this.state.value);
    }
  }
}
