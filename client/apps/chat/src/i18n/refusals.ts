/** What the service refuses, in the page's language. */

import { locale, t } from "./bundles";

/** The codes of the chat's PROTOCOL.md. */
const KINDS: Readonly<Record<number, string>> = {
  400: "sense",
  401: "stranger",
  403: "right",
  404: "missing",
  409: "taken",
  413: "length",
  429: "pace",
  507: "disk",
};

/** Why something was refused. The service's own words are English and say more: who reads English gets those. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const words = typeof message === "string" && message !== "" ? message : undefined;
  const kind = KINDS[Number(code)];
  if (kind === undefined || (words !== undefined && locale.value.startsWith("en"))) {
    return words ?? String(error);
  }
  return t(`refused-${kind}`);
}
