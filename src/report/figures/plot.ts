import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type KeyItem, keyHeight, keyMarkup } from "./key.js";
import { type TextBox, textBoxes } from "./text-boxes.js";
import { shortened, widestWidth } from "./text-width.js";

/**
 * Colours that colour-blind readers can tell apart (Okabe and Ito 2008); blue is lighter on dark ground, where the page
 * says so.
 */
export const COLOURS = {
  blue: "var(--blue, #0072B2)",
  orange: "#E69F00",
  green: "#009E73",
  red: "#D55E00",
  purple: "#CC79A7",
  sky: "#56B4E9",
  grey: "#8a8a8a",
  yellow: "#F0E442",
} as const;
export const SERIES = [
  COLOURS.blue,
  COLOURS.orange,
  COLOURS.green,
  COLOURS.purple,
  COLOURS.red,
  COLOURS.sky,
  COLOURS.yellow,
  COLOURS.grey,
  // Okabe and Ito have no more; the last two are a darker blue and a darker green.
  "#332288",
  "#44540A",
] as const;

/** Widths of a figure that takes the whole of a page's column, and of one that takes half of it. */
export const WIDE = 980;
export const HALF = 470;

/** A figure: SVG text that stands alone as a file and inside a page, and what it shows in words. */
export interface Figure {
  /** The file's name without `.svg`. */
  readonly name: string;
  readonly title: string;
  /** What a reader who cannot see it is told. */
  readonly description: string;
  readonly svg: string;
}

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** Left free between a text and the figure's edge. */
const EDGE = 2;

type Margins = Record<"marginLeft" | "marginRight" | "marginTop" | "marginBottom", number>;

/**
 * Draws with Observable Plot. Texts and axes take the colour of their surroundings, so that the figure reads on
 * light and on dark; as a file of its own it brings a style for both. Margins grow until every text has the room that
 * it takes in the widest of readers' fonts; an axis's label is moved into the picture, and shortened where it is
 * longer.
 */
export function draw(
  name: string,
  title: string,
  description: string,
  { key = [], ...options }: Plot.PlotOptions & { key?: readonly KeyItem[] },
): Figure {
  const width = options.width ?? WIDE;
  let height = options.height ?? 300;
  const above = keyHeight(key, width);
  const margins: Margins = {
    marginLeft: options.marginLeft ?? 60,
    marginRight: options.marginRight ?? 20,
    // Room for a label over the highest tick.
    marginTop: options.marginTop ?? 32,
    // Room for a label under the ticks.
    marginBottom: options.marginBottom ?? 42,
  };
  let node = plot({ ...options, ...margins, width, height });
  for (let round = 0; round < 4; round++) {
    const more = overflow(node, width, height);
    if (Object.values(more).every((pixels) => pixels === 0)) break;
    for (const side of Object.keys(margins) as (keyof Margins)[]) margins[side] += more[side];
    height += more.marginTop + more.marginBottom;
    node = plot({ ...options, ...margins, width, height });
  }
  fitAxisLabels(node, width, height);
  node.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", `${title}. ${description}`);
  // Plot's own style names the class plot-… and is the same in each figure; ids keep several in one page apart.
  if (above > 0) {
    // The key stands above all that Plot has drawn: it knows nothing of it.
    node.setAttribute("height", String(height + above));
    node.setAttribute("viewBox", `0 ${-above} ${width} ${height + above}`);
  }
  const svg =
    above > 0
      ? node.outerHTML.replace(/<\/svg>$/, `<g transform="translate(0,${-above})">${keyMarkup(key, width)}</g></svg>`)
      : node.outerHTML;
  return { name, title, description, svg };
}

const plot = (options: Plot.PlotOptions): Element =>
  Plot.plot({
    ...options,
    document: document as unknown as Document,
    style: {
      background: "transparent",
      fontFamily: "system-ui, sans-serif",
      fontSize: "13px",
      ...(typeof options.style === "object" ? options.style : {}),
    },
  }) as unknown as Element;

const isAxisLabel = (node: Element): boolean =>
  /-axis label$/.test(node.parentElement?.getAttribute("aria-label") ?? "");

/** By how many pixels texts reach over each edge; axes' labels do not count: they can be moved. */
function overflow(node: Element, width: number, height: number): Margins {
  const boxes = textBoxes(node).filter((box) => !isAxisLabel(box.node));
  const most = (all: readonly number[]): number => Math.ceil(Math.max(0, ...all));
  return {
    marginLeft: most(boxes.map(({ left }) => EDGE - left)),
    marginRight: most(boxes.map(({ right }) => right + EDGE - width)),
    marginTop: most(boxes.map(({ top }) => -top)),
    marginBottom: most(boxes.map(({ bottom }) => bottom - height)),
  };
}

/** Moves axes' labels into the picture; one that is longer than the picture is wide is shortened. */
function fitAxisLabels(node: Element, width: number, height: number): void {
  const labels = (): TextBox[] => textBoxes(node).filter((box) => isAxisLabel(box.node));
  for (const { node: label, text, left, right } of labels())
    if (right - left > width - 2 * EDGE) label.textContent = shortened(text, width - 2 * EDGE);
  for (const { node: label, left, right, top, bottom } of labels()) {
    const across = Math.max(0, EDGE - left) - Math.max(0, right - (width - EDGE));
    const down = Math.ceil(Math.max(0, -top)) - Math.ceil(Math.max(0, bottom - height));
    if (across !== 0 || down !== 0)
      label.setAttribute("transform", `translate(${across},${down}) ${label.getAttribute("transform") ?? ""}`.trim());
  }
}

/**
 * Options for rows that are named at the left: the margin that their names take, at most `share` of the width, and
 * shorter names beyond it.
 */
export function rowNames(
  names: readonly string[],
  { width = WIDE, share = 0.5 } = {},
): { marginLeft: number; y: Plot.ScaleOptions } {
  const widest = Math.max(0, ...names.map((name) => widestWidth(name)));
  const room = Math.min(Math.ceil(widest), share * width - ROW_NAME_GAP);
  return {
    marginLeft: Math.max(40, room + ROW_NAME_GAP),
    y: { label: null, domain: [...names], tickFormat: (name: string) => shortened(name, room) },
  };
}

/** The tick, and what is left free before it and at the edge. */
const ROW_NAME_GAP = 9 + EDGE;

/** The figure as a file: with a ground that follows the reader's light or dark. */
export function standalone(figure: Figure): string {
  const style =
    "<style>svg{color:#222;background:#fff}@media " +
    "(prefers-color-scheme:dark){svg{color:#ddd;background:#181a1f;--blue:#3d9bd4}}</style>";
  const head = `<title>${escapeXml(figure.title)}</title>${style}`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${figure.svg.replace(/^(<svg[^>]*>)/, (open) => `${open}${head}`)}\n`;
}

const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** 12.3 % */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** A difference of two shares, in percentage points: +1.2 points, −0.4 points */
export const points = (difference: number, unit = true): string =>
  `${difference < 0 ? "−" : "+"}${Math.abs(100 * difference).toFixed(1)}${unit ? " points" : ""}`;

/** high_school_physics → high school physics */
export const spoken = (subject: string): string => subject.replaceAll("_", " ");
