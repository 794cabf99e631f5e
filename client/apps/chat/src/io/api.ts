/** Who one is, over HTTP: guests, accounts, the session that a cookie holds. */

import type { Me, Welcome } from "../wire";

/** What the service refused, in its words. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

export interface Profile {
  nick: string;
  langs: string[];
  preferred: string;
}

/** Who is signed in; what a stranger may do otherwise. */
export async function whoAmI(): Promise<{ me: Me } | { welcome: Welcome }> {
  const answer = await fetch("api/me", { cache: "no-store" });
  if (answer.status === 401) {
    return { welcome: (await answer.json()) as Welcome };
  }
  return { me: (await taken(answer)) as Me };
}

export const guest = (profile: Profile) => post("api/guest", profile);
export const register = (profile: Profile & { password: string }) => post("api/register", profile);
export const logIn = (nick: string, password: string) => post("api/login", { nick, password });

export async function logOut(): Promise<void> {
  await fetch("api/logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
}

async function post(url: string, body: unknown): Promise<Me> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await taken(answer)) as Me;
}

async function taken(answer: Response): Promise<unknown> {
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) {
    const { error } = (body ?? {}) as { error?: { code?: number; message?: string; field?: string } };
    throw new ApiError(error?.code ?? answer.status, error?.message ?? answer.statusText, error?.field);
  }
  return body;
}
