/** Remote procedures with types, as `hubbub export typescript` writes them. */

import type { Centrifuge } from "centrifuge";

/** Names of procedures, with what each takes and returns: of itself, for an interface has no index. */
export type Procedures<P> = { [M in keyof P]: { params: unknown; result: unknown } };

/** Calls a procedure; rejects with Centrifugo's `{code, message, temporary}`. */
export type Caller<P extends Procedures<P>> = <M extends keyof P & string>(
  method: M,
  params: P[M]["params"],
) => Promise<P[M]["result"]>;

/** The procedures behind a connection. */
export function procedures<P extends Procedures<P>>(client: Pick<Centrifuge, "rpc">): Caller<P> {
  return async (method, params) => (await client.rpc(method, params)).data as never;
}
