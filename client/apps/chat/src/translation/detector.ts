/** The browser's language detector, where there is one and it needs no download. */

/** As much of the browser's `LanguageDetector` as is used. */
export interface DetectorApi {
  availability(): Promise<string | null>;
  create(): Promise<{ detect(text: string): Promise<{ detectedLanguage?: string; confidence?: number }[]> }>;
}

/** Below so many letters nobody can tell. */
const LETTERS = 15;
const CONFIDENT = 0.6;
const APART = 0.2;
/** Nobody waits longer for it: the server detects, too. */
const PATIENCE_MS = 500;

/** The language of a text, if it can be told for sure. */
export class Detector {
  private made: ReturnType<DetectorApi["create"]> | undefined;

  constructor(private readonly api: DetectorApi | undefined) {}

  async detect(text: string): Promise<string | undefined> {
    if (this.api === undefined || (text.match(/\p{L}/gu) ?? []).length < LETTERS) {
      return undefined;
    }
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE_MS));
    return Promise.race([this.ask(this.api, text), late]);
  }

  private async ask(api: DetectorApi, text: string): Promise<string | undefined> {
    try {
      if (this.made === undefined) {
        if ((await api.availability()) !== "available") {
          return undefined;
        }
        this.made = api.create();
      }
      const [first, second] = await (await this.made).detect(text);
      const confidence = first?.confidence ?? 0;
      const isSure = confidence >= CONFIDENT && confidence - (second?.confidence ?? 0) >= APART;
      return isSure && first?.detectedLanguage !== "und" ? first?.detectedLanguage : undefined;
    } catch {
      // It is a convenience: the server detects, too.
      this.made = undefined;
      return undefined;
    }
  }
}
