/** Keys that nobody else makes. */

/** 128 random bits. Unlike `crypto.randomUUID`, it is there for pages that came without TLS, too. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
