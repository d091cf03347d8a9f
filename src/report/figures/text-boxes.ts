import { widestWidth } from "./text-width.js";

/** Where a text of a figure stands, in the widest of the fonts that it may be read with. */
export interface TextBox {
  readonly text: string;
  readonly node: Element;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** What a text takes over from the elements around it. */
interface Surroundings {
  readonly x: number;
  readonly y: number;
  /** Quarter turns to the left: a vertical label has one. */
  readonly turned: boolean;
  readonly size: number;
  readonly anchor: string;
  readonly bold: boolean;
}

const DEFAULT: Surroundings = { x: 0, y: 0, turned: false, size: 13, anchor: "middle", bold: false };

/** The most of a font's size above and below its base line: Segoe UI and Noto Sans. */
export const [ASCENT, DESCENT] = [1.08, 0.3];

/**
 * The box of each text of an SVG as Observable Plot makes it: nested groups that are moved, texts that are perhaps
 * turned once.
 */
export function textBoxes(svg: Element): TextBox[] {
  return [...svg.children].flatMap((child) => boxesBelow(child, DEFAULT));
}

function boxesBelow(node: Element, around: Surroundings): TextBox[] {
  const here = surroundingsOf(node, around);
  if (node.localName === "text") return [boxOf(node, here)];
  return [...node.children].flatMap((child) => boxesBelow(child, here));
}

function surroundingsOf(node: Element, around: Surroundings): Surroundings {
  const transform = node.getAttribute("transform") ?? "";
  const moves = [...transform.matchAll(/translate\(([-\d.e]+)[ ,]*([-\d.e]+)?\)/g)];
  const moved = (axis: 1 | 2): number => moves.reduce((sum, move) => sum + Number(move[axis] ?? 0), 0);
  const weight = node.getAttribute("font-weight");
  return {
    x: around.x + moved(1),
    y: around.y + moved(2),
    turned: around.turned || transform.includes("rotate(-90)"),
    size: Number(node.getAttribute("font-size") ?? around.size),
    anchor: node.getAttribute("text-anchor") ?? around.anchor,
    bold: weight === null ? around.bold : weight === "bold" || Number(weight) >= 600,
  };
}

function boxOf(node: Element, { x, y, turned, size, anchor, bold }: Surroundings): TextBox {
  const spans = [...node.children].filter((child) => child.localName === "tspan");
  const lines = spans.length ? spans.map((span) => span.textContent ?? "") : [node.textContent ?? ""];
  const width = Math.max(...lines.map((line) => widestWidth(line, size, bold)));
  const along = inPixels(node.getAttribute("x"), size) + inPixels(node.getAttribute("dx"), size);
  const across =
    inPixels(spans[0]?.getAttribute("y") ?? node.getAttribute("y"), size) + inPixels(node.getAttribute("dy"), size);
  const start = along - (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
  const [high, low] = [across - ASCENT * size, across + (lines.length - 1 + DESCENT) * size];
  const text = lines.join(" ");
  return turned
    ? { text, node, left: x + high, right: x + low, top: y - start - width, bottom: y - start }
    : { text, node, left: x + start, right: x + start + width, top: y + high, bottom: y + low };
}

const inPixels = (length: string | null, size: number): number =>
  length === null ? 0 : Number.parseFloat(length) * (length.endsWith("em") ? size : 1);

/**
 * The texts that are cut off at an edge of the figure, and the pairs of which one is printed over the other; none in a
 * figure that holds.
 */
export function textFaults(svg: Element): string[] {
  const [left, top, width, height] = (svg.getAttribute("viewBox") ?? "0 0 0 0").split(/[ ,]+/).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const boxes = textBoxes(svg).filter(({ text }) => text.trim() !== "");
  const cut = boxes.filter(
    (box) => box.left < left || box.right > left + width || box.top < top || box.bottom > top + height,
  );
  const over = boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter(
        (b) =>
          Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3,
      )
      .map((b) => `${a.text} over ${b.text}`),
  );
  return [...cut.map(({ text }) => `cut: ${text}`), ...over];
}
