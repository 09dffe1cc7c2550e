const NAMES = ['ink', 'quiet', 'paper', 'box', 'line', 'stroke', 'accent', 'ok', 'warn', 'error'] as const;
const MARBLES = [0, 1, 2, 3, 4, 5] as const;

/** The colours of docs/theme.css, as a canvas needs them: resolved for the current scheme. */
export type Palette = Readonly<Record<(typeof NAMES)[number], string>> & {
  readonly marbles: readonly { readonly fill: string; readonly outline: string }[];
};

/** Returns the colours that apply to an element. */
export function paletteOf(element: HTMLElement): Palette {
  const probe = element.appendChild(element.ownerDocument.createElement('span'));
  probe.hidden = true;
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(NAMES.map((name) => [name, colour(name)]));
  const marbles = MARBLES.map((one) => ({
    fill: colour(`marble-${one}`),
    outline: colour(`outline-${one}`),
  }));
  probe.remove();
  return { ...(colours as Record<(typeof NAMES)[number], string>), marbles };
}

/** Names of events with a colour of their own, so that pictures of different runs match. */
const KNOWN = ['value', 'added', 'newMail', 'deleted', 'updated', 'created'];

/** Returns the number of the colour of an event: equal names have equal colours. */
export function marbleColour(name: string): number {
  const known = KNOWN.indexOf(name);
  if (known !== -1) return known;
  let sum = 0;
  for (let index = 0; index < name.length; index += 1) sum += name.charCodeAt(index);
  return sum % MARBLES.length;
}
