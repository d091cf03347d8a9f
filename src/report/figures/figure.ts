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
/** The width of a figure on a telephone of 360 to 430 pixels, less the page's margins. */
export const NARROW = 340;

/** A figure: SVG text that stands alone as a file and inside a page, and what it shows in words. */
export interface Figure {
  /** The file's name without `.svg`. */
  readonly name: string;
  readonly title: string;
  /** What a reader who cannot see it is told. */
  readonly description: string;
  readonly svg: string;
  /** The same for a telephone's page, `NARROW` wide. */
  readonly narrow: string;
}

/** The figure as a file: with a ground that follows the reader's light or dark. */
export function standalone(figure: Figure): string {
  const style =
    "<style>svg{color:#222;background:#fff}@media " +
    "(prefers-color-scheme:dark){svg{color:#ddd;background:#181a1f;--card:#181a1f;--blue:#3d9bd4}}</style>";
  const head = `<title>${escapeXml(figure.title)}</title>${style}`;
  // On a page the figure shows the page's ground, which would go before the file's own.
  const svg = figure.svg.replace("background:transparent;", "").replace(/^(<svg[^>]*>)/, (open) => `${open}${head}`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n`;
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
