/**
 * The text of a message to nodes: a safe subset of Markdown (pure).
 *
 * Nothing in here can become markup: what is not one of the nodes below is text. tests/vectors/markup.json
 * says what each text means, for every reader of it. The time it takes grows with the length of the text alone.
 */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "strong" | "emphasis" | "struck"; children: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "link"; url: string; children: Inline[] }
  | { kind: "mention"; nick: string }
  | { kind: "break" };

export type Block =
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "quote"; children: Block[] }
  | { kind: "fence"; text: string; language: string };

const QUOTE_DEPTH_LIMIT = 3;
const NESTING_LIMIT = 6;
// Blanks, written out: what languages call one differs, and all readers must find the same.
const SPACE = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`;
const CONTROLS = String.raw`\x00-\x1f\x7f-\x9f`;
const SPACES = new RegExp(`[${SPACE}]+`, "g");
const BLANK = new RegExp(`^[${SPACE}]*$`);
const FENCE = new RegExp(`^\`\`\`([\\w+#.-]{0,20})[${SPACE}]*$`);
const FENCE_END = new RegExp(`^\`\`\`[${SPACE}]*$`);

/** Reads a whole message. */
export function parse(text: string, depth = 0): Block[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) {
      blocks.push({ kind: "paragraph", children: parseInline(paragraph.join("\n")) });
      paragraph = [];
    }
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as string;
    const fence = FENCE.exec(line);
    if (fence) {
      flush();
      let end = at + 1;
      while (end < lines.length && !FENCE_END.test(lines[end] as string)) {
        end += 1;
      }
      blocks.push({ kind: "fence", text: lines.slice(at + 1, end).join("\n"), language: fence[1] as string });
      at = end;
    } else if (line.startsWith(">") && depth < QUOTE_DEPTH_LIMIT) {
      flush();
      const quoted: string[] = [];
      for (; at < lines.length && (lines[at] as string).startsWith(">"); at += 1) {
        quoted.push((lines[at] as string).replace(/^> ?/, ""));
      }
      at -= 1;
      blocks.push({ kind: "quote", children: parse(quoted.join("\n"), depth + 1) });
    } else if (BLANK.test(line)) {
      flush();
    } else {
      paragraph.push(line);
    }
  }
  flush();
  return blocks;
}

/** Reads a line, or several of one paragraph. */
export function parseInline(text: string, depth = 0, links = true): Inline[] {
  return new Scanner(text, depth, links).scan();
}

const URL_START = /https?:\/\//iy;
const URL_BODY = new RegExp(`https?://[^${SPACE}${CONTROLS}<>"\`]+`, "iy");
const MENTION = /@([\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_.'·-]{0,38}[\p{L}\p{M}\p{N}_])?)/uy;
const ADDRESS = `[^${SPACE}${CONTROLS}()<>"]*`;
const LABEL_END = new RegExp(`\\]\\((https?://${ADDRESS}(?:\\(${ADDRESS}\\)${ADDRESS})*)\\)`, "iy");
const ESCAPABLE = /[\\`*~[\]()>@_#!.-]/;
const WORD = /[A-Za-z0-9]/;
const MARKS = [
  { mark: "**", kind: "strong" },
  { mark: "~~", kind: "struck" },
  { mark: "*", kind: "emphasis" },
] as const;

class Scanner {
  private at = 0;
  private plain = "";
  private readonly found: Inline[] = [];
  /** Marks that nothing further on closes: looked for once only, or a row of them would cost its square. */
  private readonly hopeless = new Set<string>();

  constructor(
    private readonly text: string,
    private readonly depth: number,
    private readonly links: boolean,
  ) {}

  scan(): Inline[] {
    while (this.at < this.text.length) {
      if (!this.special()) {
        this.plain += this.text[this.at];
        this.at += 1;
      }
    }
    this.flush();
    return this.found;
  }

  private special(): boolean {
    switch (this.text[this.at]) {
      case "\n":
        return this.push({ kind: "break" }, 1);
      case "\\":
        return this.escape();
      case "`":
        return this.code();
      case "*":
      case "~":
        return this.depth < NESTING_LIMIT && MARKS.some(({ mark, kind }) => this.marked(mark, kind));
      case "[":
        return this.links && this.labelled();
      case "h":
      case "H":
        return this.links && this.url();
      case "@":
        return this.mention();
      default:
        return false;
    }
  }

  private push(node: Inline, length: number): true {
    this.flush();
    this.found.push(node);
    this.at += length;
    return true;
  }

  private flush(): void {
    if (this.plain !== "") {
      this.found.push({ kind: "text", text: this.plain });
      this.plain = "";
    }
  }

  private escape(): boolean {
    const next = this.text[this.at + 1];
    if (next === undefined || !ESCAPABLE.test(next)) {
      return false;
    }
    this.plain += next;
    this.at += 2;
    return true;
  }

  private code(): boolean {
    let ticks = 1;
    while (this.text[this.at + ticks] === "`") {
      ticks += 1;
    }
    const mark = "`".repeat(ticks);
    const end = this.hopeless.has(mark) ? -1 : this.closing(mark, this.at + ticks, "`");
    if (end === -1) {
      this.hopeless.add(mark);
      this.plain += mark;
      this.at += ticks;
      return true;
    }
    const inside = this.text.slice(this.at + ticks, end);
    return this.push({ kind: "code", text: inside }, end + ticks - this.at);
  }

  /** Where a mark stands alone, not as a part of a longer row of the same. */
  private closing(mark: string, from: number, character: string): number {
    for (let end = this.text.indexOf(mark, from); end !== -1; end = this.text.indexOf(mark, end)) {
      let after = end;
      while (this.text[after] === character) {
        after += 1;
      }
      if (after - end === mark.length && end > from) {
        return end;
      }
      end = after;
    }
    return -1;
  }

  private marked(mark: string, kind: "strong" | "emphasis" | "struck"): boolean {
    const { text, at } = this;
    const from = at + mark.length;
    if (!text.startsWith(mark, at) || this.hopeless.has(mark) || isSpace(text[from])) {
      return false;
    }
    // A single star between digits or letters is a star: 2*3*4.
    if (mark === "*" && (WORD.test(text[at - 1] ?? "") || text[from] === "*")) {
      return false;
    }
    const end = this.markEnd(mark, from);
    if (end === -1) {
      this.hopeless.add(mark);
      return false;
    }
    const children = parseInline(text.slice(from, end), this.depth + 1, this.links);
    return this.push({ kind, children }, end + mark.length - at);
  }

  private markEnd(mark: string, from: number): number {
    const { text } = this;
    for (let end = text.indexOf(mark, from); end !== -1; end = text.indexOf(mark, end + 1)) {
      if (end === from || isSpace(text[end - 1]) || text[end - 1] === "\\") {
        continue;
      }
      if (mark === "*") {
        if (text[end + 1] === "*") {
          // The beginning of a strong part inside, or its end.
          end += 1;
          continue;
        }
        if (WORD.test(text[end + 1] ?? "")) {
          continue;
        }
      } else if (mark === "**" && text[end + 2] === "*") {
        // Three in a row: the inner one closes what was opened last.
        return end + 1;
      }
      return end;
    }
    return -1;
  }

  private labelled(): boolean {
    if (this.hopeless.has("](")) {
      return false;
    }
    const end = this.text.indexOf("](", this.at + 1);
    if (end === -1) {
      this.hopeless.add("](");
      return false;
    }
    const label = this.text.slice(this.at + 1, end);
    LABEL_END.lastIndex = end;
    const rest = LABEL_END.exec(this.text);
    if (rest === null || BLANK.test(label) || /[[\]\n]/.test(label) || !isWebAddress(rest[1] as string)) {
      return false;
    }
    const children = parseInline(label, this.depth + 1, false);
    return this.push({ kind: "link", url: rest[1] as string, children }, end + rest[0].length - this.at);
  }

  private url(): boolean {
    URL_START.lastIndex = this.at;
    if (!URL_START.test(this.text) || /[\p{L}\p{N}]/u.test(this.text[this.at - 1] ?? "")) {
      return false;
    }
    URL_BODY.lastIndex = this.at;
    const found = URL_BODY.exec(this.text);
    const url = found ? trimmed(found[0]) : "";
    if (!isWebAddress(url)) {
      return false;
    }
    return this.push({ kind: "link", url, children: [{ kind: "text", text: url }] }, url.length);
  }

  private mention(): boolean {
    MENTION.lastIndex = this.at;
    const found = MENTION.exec(this.text);
    if (found === null || /[\p{L}\p{N}_@/]/u.test(this.text[this.at - 1] ?? "")) {
      return false;
    }
    const nick = found[1] as string;
    return this.push({ kind: "mention", nick }, nick.length + 1);
  }
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || (BLANK.test(character) && character !== "");
}

/** Without what closes the sentence or the bracket round it, and without marks that stand behind it. */
function trimmed(url: string): string {
  let end = url.length;
  let surplus = url.split(")").length - url.split("(").length;
  for (;;) {
    const last = url[end - 1] ?? "";
    if (last === ")" && surplus > 0) {
      surplus -= 1;
    } else if (!/[.,;:!?'*~\]}]/.test(last)) {
      return url.slice(0, end);
    }
    end -= 1;
  }
}

/** Whether an address leads to the web and nowhere else. */
export function isWebAddress(address: string): boolean {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) {
    return false;
  }
  const { protocol, hostname } = new URL(address);
  return (protocol === "http:" || protocol === "https:") && hostname !== "";
}

/** The text as it would be read aloud: without marks, in one line. */
export function plainText(text: string): string {
  const inline = (nodes: Inline[]): string =>
    nodes
      .map((node) => {
        switch (node.kind) {
          case "text":
          case "code":
            return node.text;
          case "mention":
            return `@${node.nick}`;
          case "break":
            return " ";
          default:
            return inline(node.children);
        }
      })
      .join("");
  const block = (nodes: Block[]): string =>
    nodes
      .map((node) => (node.kind === "paragraph" ? inline(node.children) : node.kind === "fence" ? node.text : block(node.children)))
      .join(" ");
  return block(parse(text)).replace(SPACES, " ").replace(/^ | $/g, "");
}
