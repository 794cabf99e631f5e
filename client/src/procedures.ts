/** Remote procedures with types, as `hubbub export typescript` writes them. */

import type { Centrifuge } from "centrifuge";

/** Names of procedures, with what each takes and returns. */
export type Procedures = Record<string, { params: unknown; result: unknown }>;

/** Calls a procedure; rejects with Centrifugo's `{code, message, temporary}`. */
export type Caller<P extends Procedures> = <M extends keyof P & string>(
  method: M,
  params: P[M]["params"],
) => Promise<P[M]["result"]>;

/** The procedures behind a connection. */
export function procedures<P extends Procedures>(client: Pick<Centrifuge, "rpc">): Caller<P> {
  return async (method, params) => (await client.rpc(method, params)).data as never;
}
