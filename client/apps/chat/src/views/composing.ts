/** Keys that are an input method's: with Enter and Esc one ends a composition of Japanese or Chinese, and means nothing else. */

/** The code of a key that an input method took: all that Safari tells of the one that ends a composition. */
const TAKEN_KEY = 229;

export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN_KEY;
}
