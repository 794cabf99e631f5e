/** Keeps a list of messages where its reader is: at the end, or at the message they look at, whatever grows around it. */

/** So near the end counts as the end. */
const END_PX = 48;

export class Scrolling {
  isAtEnd = true;
  /** Whether its end is the room's: the end of a part of the history is nothing to stay at. */
  isLive = true;
  private anchor: { element: HTMLElement; top: number } | undefined;
  /** Where the box was scrolled to when the anchor was chosen. */
  private seen = 0;

  constructor(private readonly box: HTMLElement) {}

  /** The reader has scrolled. */
  scrolled(): void {
    const { box } = this;
    this.isAtEnd = this.isLive && box.scrollHeight - box.scrollTop - box.clientHeight < END_PX;
    this.anchor = this.isAtEnd ? undefined : this.find();
    this.seen = box.scrollTop;
  }

  /** The content has changed: what was in view stays where it was. */
  settle(): void {
    if (this.isAtEnd) {
      this.toEnd();
    } else if (this.anchor?.element.isConnected) {
      // By so much the reader has scrolled since: the event that says so is still to come.
      const scrolled = this.box.scrollTop - this.seen;
      this.box.scrollTop += this.topOf(this.anchor.element) - this.anchor.top + scrolled;
      this.scrolled();
    }
  }

  toEnd(): void {
    this.box.scrollTop = this.box.scrollHeight;
    this.isAtEnd = true;
  }

  /** Puts an element in the middle. */
  show(element: HTMLElement): void {
    element.scrollIntoView({ block: "center" });
    this.scrolled();
  }

  private find(): { element: HTMLElement; top: number } | undefined {
    for (const element of this.box.querySelectorAll<HTMLElement>("[data-id]")) {
      const top = this.topOf(element);
      if (top + element.offsetHeight > 0) {
        return { element, top };
      }
    }
    return undefined;
  }

  private topOf(element: HTMLElement): number {
    return element.getBoundingClientRect().top - this.box.getBoundingClientRect().top;
  }
}
