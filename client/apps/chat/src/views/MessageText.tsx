/** The nodes of a message's text as elements. Text stays text: nothing in here takes markup. */

import { useMemo } from "preact/hooks";

import { parse, type Block, type Inline } from "../text/parse";

interface Props {
  text: string;
  /** Nicks that are somebody's, in small letters; a mention of one's own is marked. */
  nicks: ReadonlySet<string>;
  mine: string;
}

export function MessageText({ text, nicks, mine }: Props) {
  const blocks = useMemo(() => parse(text), [text]);
  return <>{blocks.map((block, at) => shown(block, at, { nicks, mine }))}</>;
}

type Names = Omit<Props, "text">;

function shown(block: Block, key: number, names: Names) {
  switch (block.kind) {
    case "paragraph":
      return <p key={key}>{inline(block.children, names)}</p>;
    case "quote":
      return <blockquote key={key}>{block.children.map((child, at) => shown(child, at, names))}</blockquote>;
    case "fence":
      return (
        <pre key={key} dir="ltr" tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
  }
}

function inline(nodes: readonly Inline[], names: Names) {
  return nodes.map((node, key) => {
    switch (node.kind) {
      case "text":
        return node.text;
      case "break":
        return <br key={key} />;
      case "strong":
        return <strong key={key}>{inline(node.children, names)}</strong>;
      case "emphasis":
        return <em key={key}>{inline(node.children, names)}</em>;
      case "struck":
        return <s key={key}>{inline(node.children, names)}</s>;
      case "code":
        return (
          <code key={key} dir="ltr">
            {node.text}
          </code>
        );
      case "link":
        return (
          <a key={key} href={node.url} target="_blank" rel="noopener noreferrer nofollow ugc" title={node.url}>
            <bdi>{inline(node.children, names)}</bdi>
          </a>
        );
      case "mention": {
        const folded = node.nick.toLocaleLowerCase();
        const kind = folded === names.mine ? "mention is-mine" : names.nicks.has(folded) ? "mention" : undefined;
        return (
          <bdi key={key} class={kind}>
            @{node.nick}
          </bdi>
        );
      }
    }
  });
}
