import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Figure, NARROW, WIDE } from "./figure.js";
import { type KeyItem, keyHeight, keyMarkup } from "./key.js";
import { type TextBox, textBoxes } from "./text-boxes.js";
import { shortened, widestWidth } from "./text-width.js";

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** Left free between a text and the figure's edge. */
const EDGE = 2;

type Margins = Record<"marginLeft" | "marginRight" | "marginTop" | "marginBottom", number>;

/** What is drawn: Plot's options, and what figures here have in common. */
export interface Drawing extends Plot.PlotOptions {
  readonly key?: readonly KeyItem[];
  /** The names of the rows of a figure that has a row for each: at its left, or over each row where it is narrow. */
  readonly rows?: readonly string[];
}

/**
 * Draws with Observable Plot, once for a page's column and once for a telephone's. Texts and axes take the colour of
 * their surroundings, so that the figure reads on light and on dark; as a file of its own it brings a style for both.
 * @param drawing the same for both, or a function of whether it is the narrow one
 */
export function draw(
  name: string,
  title: string,
  description: string,
  drawing: Drawing | ((narrow: boolean) => Drawing),
): Figure {
  const of = typeof drawing === "function" ? drawing : () => drawing;
  const label = `${title}. ${description}`;
  const { rows, ...wide } = of(false);
  const svg = drawn({ ...wide, ...(rows && rowNames(rows, { width: wide.width })) }, label);
  return { name, title, description, svg, narrow: drawn(narrowed(of(true)), label) };
}

/**
 * One SVG. Margins grow until every text has the room that it takes in the widest of readers' fonts; an axis's label
 * is moved into the picture, and shortened where it is longer.
 */
function drawn({ key = [], ...options }: Drawing, label: string): string {
  const width = options.width ?? WIDE;
  let height = options.height ?? 300;
  const above = keyHeight(key, width);
  const margins = marginsOf(options);
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
  node.setAttribute("aria-label", label);
  // Plot's own style names the class plot-… and is the same in each figure; ids keep several in one page apart.
  if (above === 0) return node.outerHTML;
  // The key stands above all that Plot has drawn: it knows nothing of it.
  node.setAttribute("height", String(height + above));
  node.setAttribute("viewBox", `0 ${-above} ${width} ${height + above}`);
  return node.outerHTML.replace(/<\/svg>$/, `<g transform="translate(0,${-above})">${keyMarkup(key, width)}</g></svg>`);
}

const marginsOf = (options: Plot.PlotOptions): Margins => ({
  marginLeft: options.marginLeft ?? 60,
  marginRight: options.marginRight ?? 20,
  // Room for a label over the highest tick.
  marginTop: options.marginTop ?? 32,
  // Room for a label under the ticks.
  marginBottom: options.marginBottom ?? 42,
});

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

/** The height of a row's name that stands over it. */
const NAME_LINE = 18;

/** The same for a telephone: rows are as high as before, each with a line over it for its name. */
function narrowed({ rows, ...options }: Drawing): Drawing {
  if (!rows) return { ...options, width: NARROW };
  const { marginTop, marginBottom } = marginsOf(options);
  const { height = 300 } = options;
  const row = Math.max(12, (height - marginTop - marginBottom) / Math.max(1, rows.length));
  const name = Plot.text(rows, {
    y: (one: string) => one,
    text: (one: string) => shortened(one, NARROW - MARGIN - 2 * EDGE),
    frameAnchor: "left",
    textAnchor: "start",
    dx: -MARGIN + EDGE,
    dy: -(row + NAME_LINE) / 2,
    // Rules that go through all rows stay clear of names.
    stroke: "var(--card, white)",
    strokeWidth: 4,
    fill: "currentColor",
  });
  return {
    ...options,
    width: NARROW,
    height: height - marginTop + NAME_LINE * (rows.length + 1),
    marginTop: 0,
    marginLeft: MARGIN,
    y: { label: null, axis: null, domain: [...rows], padding: 1 - row / (row + NAME_LINE) },
    marks: [...(options.marks ?? []), name],
  };
}

/** At the left of rows whose names stand over them: half of the first tick's name. */
const MARGIN = 16;

/**
 * Options for rows that are named at the left: the margin that their names take, at most half of the width, and
 * shorter names beyond it.
 */
function rowNames(
  names: readonly string[],
  { width = WIDE }: { readonly width?: number | undefined },
): { marginLeft: number; y: Plot.ScaleOptions } {
  const widest = Math.max(0, ...names.map((name) => widestWidth(name)));
  const room = Math.min(Math.ceil(widest), width / 2 - ROW_NAME_GAP);
  return {
    marginLeft: Math.max(40, room + ROW_NAME_GAP),
    y: { label: null, domain: [...names], tickFormat: (name: string) => shortened(name, room) },
  };
}

/** The tick, and what is left free before it and at the edge. */
const ROW_NAME_GAP = 9 + EDGE;
