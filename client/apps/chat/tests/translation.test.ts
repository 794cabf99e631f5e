import { describe, expect, it, vi } from "vitest";

import { BrowserEngine, type Availability, type TranslatorApi } from "../src/translation/browser";
import { Chain, Untranslated, type Engine, type Wish } from "../src/translation/chain";
import { Detector } from "../src/translation/detector";
import { hasWords, protect } from "../src/translation/protect";
import { Queue } from "../src/translation/queue";
import { ServerEngine } from "../src/translation/server";

const wish: Wish = { text: "hola", source: "es", target: "en", message: "m1" };
const never = new AbortController().signal;

function engine(name: string, answer: (wish: Wish) => string | undefined | Promise<string>): Engine & { asked: Wish[] } {
  const asked: Wish[] = [];
  return {
    name,
    asked,
    translate: async (one) => {
      asked.push(one);
      return answer(one);
    },
  };
}

describe("a chain", () => {
  it("asks the next engine when one cannot or fails", async () => {
    const cannot = engine("cannot", () => undefined);
    const fails = engine("fails", () => Promise.reject(new Error("broken")));
    const can = engine("can", ({ text }) => text.toUpperCase());
    const spare = engine("spare", () => "never");
    const chain = new Chain([cannot, fails, can, spare]);
    expect(await chain.translate(wish, never)).toEqual({ text: "HOLA", engine: "can" });
    expect(spare.asked).toEqual([]);
  });

  it("remembers, within bounds", async () => {
    const one = engine("one", ({ text }) => `<${text}>`);
    const chain = new Chain([one], 2);
    for (const text of ["a", "b", "a", "c"]) await chain.translate({ ...wish, text }, never);
    expect(one.asked.map(({ text }) => text)).toEqual(["a", "b", "c"]);
    expect(chain.recall({ ...wish, text: "c" })?.text).toBe("<c>");
    expect(chain.recall({ ...wish, text: "a" })).toBeUndefined();
    expect(chain.recall({ ...wish, text: "c", target: "fr" })).toBeUndefined();
  });

  it("says why nobody could, and tries again when asked again", async () => {
    const broken = engine("broken", () => Promise.reject(new Error("broken")));
    const chain = new Chain([broken]);
    await expect(chain.translate(wish, never)).rejects.toBeInstanceOf(Untranslated);
    await expect(chain.translate(wish, never)).rejects.toMatchObject({ reasons: [new Error("broken")] });
    expect(broken.asked).toHaveLength(2);
  });

  it("makes one call for many, and gives it up with the last of them", async () => {
    let asked = 0;
    const seen: AbortSignal[] = [];
    const waits: Engine = {
      name: "waits",
      translate: (_, signal) => {
        asked += 1;
        seen.push(signal);
        return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    const chain = new Chain([waits]);
    const [first, second] = [new AbortController(), new AbortController()];
    const results = [chain.translate(wish, first.signal), chain.translate(wish, second.signal)];
    first.abort();
    await expect(results[0]).rejects.toMatchObject({ name: "AbortError" });
    expect(seen[0]?.aborted).toBe(false);
    second.abort();
    await expect(results[1]).rejects.toMatchObject({ name: "AbortError" });
    expect(seen[0]?.aborted).toBe(true);
    expect(asked).toBe(1);
  });
});

describe("a queue", () => {
  it("takes the last first, and never what was taken back", async () => {
    const queue = new Queue(1);
    const order: string[] = [];
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const running = queue.run(() => gate, never);
    const taken = new AbortController();
    const work = (name: string, signal = never) => queue.run(async () => void order.push(name), signal);
    const rest = [work("a"), work("b")];
    const gone = work("gone", taken.signal);
    taken.abort();
    await expect(gone).rejects.toMatchObject({ name: "AbortError" });
    open();
    await Promise.all([running, ...rest]);
    expect(order).toEqual(["b", "a"]);
  });
});

describe("the browser's translator", () => {
  function api(availability: Availability | null): TranslatorApi & { made: number } {
    const found = {
      made: 0,
      availability: async () => availability,
      create: async ({ monitor }: Parameters<TranslatorApi["create"]>[0]) => {
        found.made += 1;
        monitor?.({ addEventListener: (_, listener) => listener({ loaded: 0.5 }) });
        return { translate: async (text: string) => text.replace("hola", "hello") };
      },
    };
    return found;
  }

  it("translates what it can, with one translator for each pair, and leaves code alone", async () => {
    const there = api("available");
    const engine = new BrowserEngine(there);
    expect(await engine.translate({ ...wish, text: "hola `hola` @hola" }, never)).toBe("hello `hola` @hola");
    expect(await engine.translate(wish, never)).toBe("hello");
    expect(there.made).toBe(1);
  });

  it("is passed over where it is not, or not yet", async () => {
    for (const availability of ["unavailable", null] as const) {
      expect(await new BrowserEngine(api(availability)).translate(wish, never)).toBeUndefined();
    }
    expect(await new BrowserEngine(undefined).translate(wish, never)).toBeUndefined();
    const offer = vi.fn();
    const engine = new BrowserEngine(api("downloadable"), offer);
    expect(await engine.translate({ ...wish, source: "es-MX" }, never)).toBeUndefined();
    expect(offer).toHaveBeenCalledWith("es", "en");
    const progress = vi.fn();
    await engine.download("es", "en", progress);
    expect(progress).toHaveBeenCalledWith(0.5);
    expect(await engine.translate(wish, never)).toBe("hello");
  });
});

describe("the server's translator", () => {
  it("asks in LibreTranslate's shape, and rests after 'too many'", async () => {
    const asked: unknown[] = [];
    let now = 0;
    const answers = [Response.json({ translatedText: "hi" }), Response.json({ error: "slow down" }, { status: 429 })];
    const fetch = vi.fn(async (_url: unknown, init?: RequestInit) => {
      asked.push(JSON.parse(init?.body as string));
      return answers.shift() ?? Response.json({ translatedText: "again" });
    });
    const engine = new ServerEngine(fetch as typeof globalThis.fetch, () => now);
    expect(await engine.translate(wish, never)).toBe("hi");
    expect(asked).toEqual([{ q: "hola", source: "es", target: "en", format: "text", message: "m1" }]);
    await expect(engine.translate(wish, never)).rejects.toThrow("slow down");
    await expect(engine.translate(wish, never)).rejects.toThrow("rests");
    expect(fetch).toHaveBeenCalledTimes(2);
    now = 6_000;
    expect(await engine.translate(wish, never)).toBe("again");
  });
});

it("is not asked again where the server does not translate", async () => {
  const fetch = vi.fn(async () => Response.json({ error: "no" }, { status: 405 }));
  const engine = new ServerEngine(fetch as typeof globalThis.fetch);
  expect([await engine.translate(wish, never), await engine.translate(wish, never)]).toEqual([undefined, undefined]);
  expect(fetch).toHaveBeenCalledTimes(1);
});

describe("what is not translated", () => {
  it("comes back in its place", () => {
    const text = "run `x [3]` at https://a.b/c?d, @ada 🎉 [1]";
    const { text: covered, restore } = protect(text);
    expect(covered).not.toMatch(/https|ada|x/);
    expect(restore(covered)).toBe(text);
    expect(restore(covered.replace("[1]", "［ 1 ］"))).toBe(text);
    expect(restore(covered.replace("[1]", ""))).toBeUndefined();
    expect(restore(`${covered}[1]`)).toBeUndefined();
  });

  it("is no reason to ask anybody", () => {
    expect(["hola", "no", "**sí**", "> hola"].map(hasWords)).toEqual([true, true, true, true]);
    expect(["🎉🎉", "!", "a", "@bea", "https://example.org/hola", "`hola`", "```\nhola\n```", ""].some(hasWords)).toBe(false);
  });
});

describe("the detector", () => {
  const says = (...found: [string, number][]) =>
    new Detector({
      availability: async () => "available",
      create: async () => ({
        detect: async () => found.map(([detectedLanguage, confidence]) => ({ detectedLanguage, confidence })),
      }),
    });

  it("says only what is sure", async () => {
    const text = "una frase bastante larga";
    expect(await says(["es", 0.9], ["pt", 0.05]).detect(text)).toBe("es");
    expect(await says(["es", 0.9]).detect("hola")).toBeUndefined();
    expect(await says(["es", 0.5], ["pt", 0.4]).detect(text)).toBeUndefined();
    expect(await says(["und", 1]).detect(text)).toBeUndefined();
    expect(await says().detect(text)).toBeUndefined();
    expect(await new Detector(undefined).detect(text)).toBeUndefined();
  });
});
