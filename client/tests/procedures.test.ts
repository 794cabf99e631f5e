import { expect, expectTypeOf, it } from "vitest";

import { procedures } from "../src/procedures";

/** As `hubbub export typescript` writes it. */
interface Methods {
  add: { params: number[]; result: number };
  now: { params: null; result: { at: string } };
}

it("calls by name, with the types of the server", async () => {
  const called: unknown[] = [];
  const rpc = async (method: string, params: unknown) => {
    called.push([method, params]);
    return { data: method === "add" ? (params as number[]).reduce((a, b) => a + b) : { at: "noon" } };
  };
  const call = procedures<Methods>({ rpc });
  const sum = await call("add", [1, 2, 3]);
  expectTypeOf(sum).toEqualTypeOf<number>();
  expect(sum).toBe(6);
  expect((await call("now", null)).at).toBe("noon");
  expect(called).toEqual([
    ["add", [1, 2, 3]],
    ["now", null],
  ]);
  // @ts-expect-error a procedure that is not there
  expectTypeOf(call("other", null)).not.toBeNever();
});

it("hands on why it was refused", async () => {
  const call = procedures<Methods>({
    rpc: async () => {
      throw { code: 400, message: "no", temporary: false };
    },
  });
  await expect(call("add", [])).rejects.toEqual({ code: 400, message: "no", temporary: false });
});
