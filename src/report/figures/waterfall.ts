import * as Plot from "@observablehq/plot";
import type { Explanation } from "../../exchange/index.js";
import { COLOURS, type Figure, percent, points, WIDE } from "./figure.js";
import { draw } from "./plot.js";
import { shortened } from "./text-width.js";

/** From the first accuracy to the second, a step for each part, with its interval. */
export function waterfallFigure(found: Explanation, name = "waterfall"): Figure {
  const whole = (result: Explanation["first"]): string => shortened(result.name, 260);
  let at = found.first.accuracy;
  const parts = found.parts.map((part) => {
    const from = at;
    at += part.value;
    return {
      label: part.title,
      from,
      to: at,
      low: part.interval ? from + part.interval[0] : undefined,
      high: part.interval ? from + part.interval[1] : undefined,
      value: part.value,
      colour: part.value < 0 ? COLOURS.red : COLOURS.green,
    };
  });
  const [first, second] = [whole(found.first), whole(found.second)];
  const ends = [
    { label: `${first} `, accuracy: found.first.accuracy },
    { label: ` ${second}`, accuracy: found.second.accuracy },
  ];
  const labels = [ends[0]!.label, ...parts.map(({ label }) => label), ends[1]!.label];
  const reached = [
    ...ends.map(({ accuracy }) => accuracy),
    ...parts.flatMap(({ from, to, low = from, high = to }) => [from, to, low, high]),
  ];
  const [least, most] = [Math.max(0, Math.min(...reached) - 0.02), Math.min(1, Math.max(...reached) + 0.02)];
  return draw(
    name,
    `From ${found.first.name} to ${found.second.name}`,
    `${found.first.name} ${percent(found.first.accuracy)}; ` +
      parts.map(({ label, value }) => `${label} ${points(value)}`).join("; ") +
      `; ${found.second.name} ${percent(found.second.accuracy)}`,
    {
      width: WIDE,
      height: 90 + 34 * labels.length,
      rows: labels,
      marginRight: 80,
      key: [
        { look: "dot", colour: COLOURS.blue, text: "accuracy" },
        { look: "bar", colour: COLOURS.green, text: "better" },
        { look: "bar", colour: COLOURS.red, text: "worse" },
        { look: "interval", colour: "currentColor", text: "95 % of the part" },
      ],
      x: {
        domain: [least, most],
        tickFormat: "%",
        label: least > 0 ? "accuracy (the axis does not begin at 0)" : "accuracy",
        labelAnchor: "center",
        labelArrow: "none",
        grid: true,
      },
      marks: [
        // No bars: their lengths would lie on an axis that does not begin at 0.
        Plot.dot(ends, { x: "accuracy", y: "label", fill: COLOURS.blue, r: 6 }),
        Plot.text(ends, {
          x: "accuracy",
          y: "label",
          text: ({ accuracy }: { accuracy: number }) => percent(accuracy),
          dx: 11,
          textAnchor: "start",
          fontWeight: 700,
        }),
        Plot.barX(parts, {
          x1: "from",
          x2: "to",
          y: "label",
          fill: "colour",
          fillOpacity: 0.85,
          insetTop: 6,
          insetBottom: 6,
        }),
        Plot.tickX(parts, { x: "to", y: "label", strokeOpacity: 0.5 }),
        Plot.ruleY(
          parts.filter(({ low }) => low !== undefined),
          { x1: "low", x2: "high", y: "label", strokeWidth: 1.3 },
        ),
        Plot.text(parts, {
          x: ({ from, to, high }: (typeof parts)[number]) => Math.max(from, to, high ?? to),
          y: "label",
          text: ({ value }: { value: number }) => points(value, false),
          dx: 8,
          textAnchor: "start",
          fontWeight: 600,
        }),
      ],
    },
  );
}
