import { shortened, widestWidth } from "./text-width.js";

/** What a mark of a figure means: its look and its name. */
export interface KeyItem {
  readonly look: "bar" | "faint-bar" | "line" | "dashed" | "dot" | "ring" | "diamond" | "interval";
  readonly colour: string;
  readonly text: string;
}

const ROW = 20;
const SWATCH = 18;

/** How much height a key takes in a figure of a width. */
export const keyHeight = (items: readonly KeyItem[], width: number): number =>
  items.length ? ROW * (1 + Math.max(...places(items, width).map(({ row }) => row))) + 6 : 0;

/** The key as SVG, to stand at a figure's top. */
export function keyMarkup(items: readonly KeyItem[], width: number): string {
  const placed = places(items, width).map(
    ({ item, x, row }) =>
      `<g transform="translate(${x},${row * ROW + 10})">${swatch(item)}<text x="${SWATCH + 6}" y="4.5" ` +
      `text-anchor="start" fill="currentColor">${escapeText(item.text)}</text></g>`,
  );
  return `<g aria-hidden="true">${placed.join("")}</g>`;
}

function places(items: readonly KeyItem[], width: number): { item: KeyItem; x: number; row: number }[] {
  let [x, row] = [2, 0];
  return items.map((whole) => {
    const item = { ...whole, text: shortened(whole.text, width - SWATCH - 10) };
    const wide = SWATCH + 6 + widestWidth(item.text) + 18;
    if (x > 2 && x + wide - 18 > width) [x, row] = [2, row + 1];
    const place = { item, x, row };
    x += wide;
    return place;
  });
}

function swatch({ look, colour }: KeyItem): string {
  switch (look) {
    case "bar":
      return `<rect x="1" y="-5" width="16" height="10" fill="${colour}" fill-opacity="0.8"/>`;
    case "faint-bar":
      return `<rect x="1.5" y="-4.5" width="15" height="9" fill="${colour}" fill-opacity="0.15" stroke="${colour}"/>`;
    case "line":
      return `<line x1="0" x2="18" stroke="${colour}" stroke-width="2"/>`;
    case "dashed":
      return `<line x1="0" x2="18" stroke="${colour}" stroke-width="2" stroke-dasharray="4 3"/>`;
    case "dot":
      return `<circle cx="9" r="5" fill="${colour}"/>`;
    case "ring":
      return `<circle cx="9" r="4.5" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
    case "diamond":
      return `<path d="M9,-6 L14,0 L9,6 L4,0 Z" fill="${colour}" stroke="currentColor"/>`;
    case "interval":
      return `<path d="M1,0 H17 M1,-4 V4 M17,-4 V4" stroke="${colour}" stroke-width="1.4" fill="none"/>`;
    default:
      return look satisfies never;
  }
}

const escapeText = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
