import { protocols } from "../answer/index.js";
import {
  type AskedDifference,
  type GroupFigures,
  groupFigures,
  type OrderStatistics,
  orderStatistics,
  type RepeatStatistics,
  repeatStatistics,
} from "../evaluate/index.js";
import { html, percent, points, type Section, table, tiles } from "../report/index.js";
import type { AskedVariants } from "./ask-variants.js";
import type { EvaluateConfiguration } from "./configuration/schema.js";
import type { PreparedShots } from "./protocol.js";

/** What `metrics.json` says of a protocol beside its accuracy. */
export interface ProtocolMetrics extends Partial<GroupFigures> {
  /** What examples there were, and what they give away. */
  readonly shots?: PreparedShots["counts"];
  readonly orders?: OrderStatistics;
  readonly repeats?: RepeatStatistics;
}

export function protocolMetrics(
  { answerer }: EvaluateConfiguration,
  { stage, askings }: Pick<AskedVariants, "stage" | "askings">,
  shots: PreparedShots | undefined,
): ProtocolMetrics {
  const { groups, meanOfLanguages } = protocols[answerer.protocol];
  const [orders, repeats] = [orderStatistics(askings), repeatStatistics(askings)];
  return {
    ...(groups ? groupFigures(stage.predictions, groups, meanOfLanguages) : {}),
    ...(shots ? { shots: shots.counts } : {}),
    ...(orders ? { orders } : {}),
    ...(repeats ? { repeats } : {}),
  };
}

const range = (interval: readonly [number, number]): string => interval.map((bound) => percent(bound)).join(" to ");
const spread = ({ spread }: RepeatStatistics): string => `${(100 * spread).toFixed(2)} points`;
const change = ({ difference, interval }: AskedDifference): string =>
  `${points(difference)} (95 %: ${interval.map((bound) => points(bound, false)).join(" to ")} points)`;

/** The lines of a run's end that tell it. */
export const protocolHeadline = ({ meanOfLanguages, orders, repeats }: ProtocolMetrics): string[] => [
  ...(meanOfLanguages === undefined ? [] : [`mean of the languages ${percent(meanOfLanguages)}`]),
  ...(orders
    ? [
        `over ${orders.orders} orders of the options ${percent(orders.accuracy)} (95 %: ${range(orders.interval)}), ` +
          `${change(orders.againstOwnOrder)} against the rows' own order; ` +
          `${percent(orders.answeredAlike.accuracy)} of rows answered alike under all`,
      ]
    : []),
  ...(repeats
    ? [
        `over ${repeats.repeats} repeats ${percent(repeats.accuracy)} (95 %: ${range(repeats.interval)}), standard ` +
          `deviation ${spread(repeats)}; agreement ${percent(repeats.agreement)}`,
      ]
    : []),
];

/** The sections of a run's report that tell it. */
export const protocolSections = (metrics: ProtocolMetrics): Section[] => [
  ...(metrics.orders ? [orderSection(metrics.orders)] : []),
  ...(metrics.repeats ? [repeatSection(metrics.repeats)] : []),
  ...(metrics.groups ? [groupSection(metrics.groups, metrics.meanOfLanguages)] : []),
];

function orderSection(orders: OrderStatistics): Section {
  return {
    id: "orders",
    title: "Orders of the options",
    body: html`<p>Each row was asked under ${String(orders.orders)} cyclic orders of its options. All else in this report is of the rows' own order.</p>
${tiles([
  {
    name: "Accuracy over all orders",
    value: percent(orders.accuracy),
    under: [`95 %: ${range(orders.interval)}`, "clustered by question"],
  },
  {
    name: "Against the rows' own order",
    value: points(orders.againstOwnOrder.difference),
    under: [
      `95 %: ${orders.againstOwnOrder.interval.map((bound) => points(bound, false)).join(" to ")} points`,
      "paired, clustered by question",
    ],
  },
  {
    name: "Answered alike under all orders",
    value: percent(orders.answeredAlike.accuracy),
    under: [`95 %: ${range(orders.answeredAlike.interval)}`, "the same option, whatever its letter"],
  },
  {
    name: "Position bias over all orders",
    value: percent(orders.positionBias.overOrders),
    under: [
      `${percent(orders.positionBias.inOwnOrder)} in the rows' own order`,
      "of readable answers too many for their letter",
    ],
  },
])}
${table(
  ["turned round by", "accuracy", "95 % by question", "against the rows' own order", "95 %, in points"],
  orders.byOrder.map(({ order, accuracy, interval, againstOwnOrder }) => [
    order,
    percent(accuracy),
    range(interval),
    order ? points(againstOwnOrder.difference) : "–",
    order ? againstOwnOrder.interval.map((bound) => points(bound, false)).join(" to ") : "–",
  ]),
)}
<details><summary>Letters as a table</summary>${table(
      ["letter", "predicted minus true share, own order", "the same over all orders"],
      orders.letters.map(({ letter, excessInOwnOrder, excessOverOrders }) => [
        letter,
        points(excessInOwnOrder),
        points(excessOverOrders),
      ]),
    )}</details>`,
  };
}

function repeatSection(repeats: RepeatStatistics): Section {
  return {
    id: "repeats",
    title: "Repeats",
    body: html`<p>Each row was asked ${String(repeats.repeats)} times. All else in this report is of the first.</p>
${tiles([
  {
    name: "Mean accuracy",
    value: percent(repeats.accuracy),
    under: [`95 %: ${range(repeats.interval)}`, "clustered by question"],
  },
  {
    name: "Standard deviation of the repeats",
    value: spread(repeats),
    under: [`${percent(Math.min(...repeats.accuracies))} to ${percent(Math.max(...repeats.accuracies))}`],
  },
  {
    name: "Agreement",
    value: percent(repeats.agreement),
    under: [
      "of pairs of repeats gave a row the same answer",
      `${percent(repeats.answeredAlike.accuracy)} of rows alike in all`,
    ],
  },
])}
${table(
  ["repeat", "accuracy"],
  repeats.accuracies.map((accuracy, index) => [index + 1, percent(accuracy)]),
)}`,
  };
}

/** A protocol's own groups; the many of single subjects are folded away. */
function groupSection(groups: NonNullable<GroupFigures["groups"]>, mean: number | undefined): Section {
  const lines = Object.entries(groups).map(([name, { n, accuracy }]) => [name, n, percent(accuracy)] as const);
  return {
    id: "groups",
    title: "By the protocol's own groups",
    body: html`${
      mean === undefined ? "" : html`<p>The plain mean of the languages is <b>${percent(mean)}</b>.</p>`
    }<details open><summary>${String(lines.length)} groups</summary>${table(["group", "rows", "accuracy"], lines)}</details>`,
  };
}
