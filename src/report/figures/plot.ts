import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type KeyItem, keyHeight, keyMarkup } from "./key.js";

/** Colours that colour-blind readers can tell apart (Okabe and Ito 2008); blue is lighter on dark ground, where the page says so. */
export const COLOURS = {
  blue: "var(--blue, #0072B2)",
  orange: "#E69F00",
  green: "#009E73",
  red: "#D55E00",
  purple: "#CC79A7",
  sky: "#56B4E9",
  grey: "#8a8a8a",
} as const;
export const SERIES = [COLOURS.blue, COLOURS.orange, COLOURS.green, COLOURS.purple, COLOURS.red, COLOURS.sky] as const;

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

/**
 * Draws with Observable Plot. Texts and axes take the colour of their surroundings, so that the figure reads on
 * light and on dark; as a file of its own it brings a style for both.
 */
export function draw(
  name: string,
  title: string,
  description: string,
  { key = [], ...options }: Plot.PlotOptions & { key?: readonly KeyItem[] },
): Figure {
  const width = options.width ?? WIDE;
  const height = options.height ?? 300;
  const above = keyHeight(key, width);
  const node = Plot.plot({
    width,
    marginLeft: 60,
    // Room for a label over the highest tick.
    marginTop: 32,
    // Room for a label under the ticks.
    marginBottom: 42,
    ...options,
    height,
    document: document as unknown as Document,
    style: {
      background: "transparent",
      fontFamily: "system-ui, sans-serif",
      fontSize: "13px",
      ...(typeof options.style === "object" ? options.style : {}),
    },
  }) as unknown as Element;
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

/** The figure as a file: with a ground that follows the reader's light or dark. */
export function standalone(figure: Figure): string {
  const style =
    "<style>svg{color:#222;background:#fff}@media (prefers-color-scheme:dark){svg{color:#ddd;background:#181a1f;--blue:#3d9bd4}}</style>";
  return `<?xml version="1.0" encoding="UTF-8"?>\n${figure.svg.replace(/^(<svg[^>]*>)/, (open) => `${open}<title>${escapeXml(figure.title)}</title>${style}`)}\n`;
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
