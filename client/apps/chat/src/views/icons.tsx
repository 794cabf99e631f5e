/** Icons: lines of one weight on a grid of 24, drawn for this page. */

const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.100 1.900 6.500 5.500M16 4.400a3.500 3.500 0 0 1 0 6.300M18 14.900c2 .7 3.200 2.500 3.500 5.100",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l4.500 4.500",
  settings: "M4 7h9M17 7h3M15 4.500v5M4 17h3M11 17h9M9 14.500v5",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-7-5.500 15-3-6.500L4 12ZM11.500 13.500L20 5",
  reply: "M10 7L5 12l5 5M5 12h9a5 5 0 0 1 5 5v1",
  smile: "M12 20.500a8.500 8.500 0 1 0 0-17 8.500 8.500 0 0 0 0 17ZM8.500 14c1.800 2.400 5.200 2.400 7 0M9 9.500v.6M15 9.500v.6",
  more: "M5.500 12h.01M12 12h.01M18.500 12h.01",
  edit: "M4 20l1-4L16.500 4.500l3 3L8 19l-4 1ZM14 7l3 3",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13",
  translate: "M3.500 6h10M8.500 3.500V6M11.500 6c-.8 4-3.500 7-7.500 8.500M6 9c1.200 2.500 3.500 4.600 6 5.500M12 20.500l4.500-11 4.500 11M13.600 17h5.800",
  calendar: "M4.500 6.500h15v13h-15zM4.500 10.500h15M8.500 4v4M15.500 4v4",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  eyeOff: "M4 4l16 16M10 6.200c5-1 8.700 2.300 10.500 5.800a15 15 0 0 1-2.600 3.500M6.500 7.700A13 13 0 0 0 3.500 12c2.600 5 8 7.700 12.500 4.700",
  hash: "M9 4L7 20M17 4l-2 16M4.500 9H20M4 15h15.500",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.500 20.500c.5-4 3.500-6 7.500-6s7 2 7.500 6",
  shield: "M12 3.500l7 2.500v5.500c0 4.500-3 7.500-7 9-4-1.500-7-4.500-7-9V6l7-2.500Z",
  warning: "M12 4l9 16H3L12 4ZM12 10v4.500M12 17.200v.1",
  offline: "M3 9c5-4.500 13-4.500 18 0M6.500 13c3-2.700 8-2.700 11 0M12 18v.1M4 4l16 16",
  file: "M6 3.500h8l4 4v13H6zM14 3.500v4h4",
  logout: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  check: "M5 12.500l4.500 4.500L19 7.500",
  keyboard: "M3 6.500h18v11H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  message: "M4 5h16v11H10l-5 4v-4H4z",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon, for the eye only: what it does is said by the button round it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of the chat: two voices. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
      <path class="logo-back" d="M15 5h15a6 6 0 0 1 6 6v8a6 6 0 0 1-6 6v5l-6-5h-3" />
      <path class="logo-front" d="M10 11h11a6 6 0 0 1 6 6v7a6 6 0 0 1-6 6h-6l-7 6v-6a4 4 0 0 1-4-4v-9a6 6 0 0 1 6-6Z" />
    </svg>
  );
}
