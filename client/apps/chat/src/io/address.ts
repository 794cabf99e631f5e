/** Which room the page's address names. */

/** Its id; empty if there is none, or what stands there cannot be read. */
export function roomInAddress(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

export function putRoomInAddress(id: string): void {
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
}
