/** Small line drawings. All decorative: the words beside them carry the meaning. */

const shapes = {
  check: <path d="m4 10.5 4 4 8-9" />,
  cross: <path d="m5 5 10 10M15 5 5 15" />,
  clock: <path d="M10 5.5V10l3 2M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Z" />,
  half: <path d="M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Zm0-15v15M13 4v12" />,
  pause: <path d="M7 5v10M13 5v10" />,
  archive: <path d="M3 5h14v3H3zM4.5 8v8h11V8M8 11h4" />,
  play: <path d="M6.5 4.5v11l9-5.5z" />,
  warn: <path d="M10 3 2.5 16.5h15zM10 8v4m0 2.2v.3" />,
  block: <path d="M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM5 5l10 10" />,
  info: <path d="M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM10 9v5m0-7.8v.3" />,
  mute: <path d="m3 3 14 14M2.5 8.5a11 11 0 0 1 4-2.5M9.5 5.1a11 11 0 0 1 8 3.4M5.5 11.7A7 7 0 0 1 9 9.8M12.8 10.5a7 7 0 0 1 1.7 1.2M10 15.3v.2" />,
  search: <path d="M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.5-1.5L17.5 17.5" />,
  up: <path d="m5 12 5-5 5 5" />,
  down: <path d="m5 8 5 5 5-5" />,
  updown: <path d="m6 8 4-4 4 4M6 12l4 4 4-4" />,
  left: <path d="m12 5-5 5 5 5" />,
  right: <path d="m8 5 5 5-5 5" />,
  refresh: <path d="M16 7a6.5 6.5 0 1 0 .5 4.5M16.5 3v4h-4" />,
  copy: <path d="M7 7h9v9H7zM4 13V4h9" />,
  send: <path d="M3 10 17 4l-4 13-3-6z" />,
  person: <path d="M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM4 17c.6-3 3-4.5 6-4.5s5.4 1.5 6 4.5" />,
  key: <path d="M9.5 10.5a4 4 0 1 1-1.4-1.6M8.3 9.2 15 3.5M12.5 5.6l2 2.2M6.2 12.6v.1" />,
  lock: <path d="M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9" />,
  gear: <path d="M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0-10.5v2m0 11v2m7.5-7.5h-2m-11 0h-2m12.8-5.3-1.4 1.4m-7.8 7.8-1.4 1.4m10.6 0-1.4-1.4M6.1 6.1 4.7 4.7" />,
  inbox: <path d="M3 11h4l1.5 2.5h3L13 11h4M3 11l2.5-6.5h9L17 11v5H3z" />,
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  );
}

export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" className="logo-ground" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M16 7a9 9 0 0 1 8.6 6.3" />
        <path d="M24 20a9 9 0 0 1-10 4.8" />
        <path d="M8 20.2A9 9 0 0 1 11.2 8.4" />
      </g>
      <circle cx="16" cy="16" r="3.2" fill="#fff" />
    </svg>
  );
}
