import type { GraphNode } from "../builder.js";
import type { LoweredGraph } from "../lower.js";

/** Tells whether an output may be written over an input: where everything that reads the input has run by then. */
export class Overwriting {
  private readonly answers = new Map<string, boolean>();

  constructor(private readonly graph: LoweredGraph) {}

  /** Whether the array of an input may be that of an output of the same shape. */
  allows(input: string, output: string): boolean {
    const key = `${input}\n${output}`;
    let answer = this.answers.get(key);
    if (answer === undefined) this.answers.set(key, (answer = this.decide(input, output)));
    return answer;
  }

  private decide(input: string, output: string): boolean {
    const value = this.graph.outputs.get(output)!;
    const writer = value.node;
    if (!writer) return false;
    const names = new Set([this.graph.inputs.get(input)!.name]);
    const readers: GraphNode[] = [];
    for (const node of this.graph.nodes) {
      if (!node.inputs.some((read) => read && names.has(read.name))) continue;
      readers.push(node);
      if (node.operation?.memory === "view") for (const made of node.outputs) names.add(made.name);
    }
    if (names.has(value.name)) return false;
    if (this.givesItsInput(input)) return false;
    const before = this.ancestors(writer);
    return readers.every((reader) =>
      reader === writer ? reader.operation?.memory === "elementwise" : before.has(reader),
    );
  }

  /** An input that is an output too is copied there at a time that nothing fixes. */
  private givesItsInput(input: string): boolean {
    const name = this.graph.inputs.get(input)!.name;
    return [...this.graph.outputs.values()].some((output) => output.name === name);
  }

  /** The nodes that must have run before this one. */
  private ancestors(node: GraphNode): Set<GraphNode> {
    const makers = new Map<string, GraphNode>();
    for (const made of this.graph.nodes) for (const output of made.outputs) makers.set(output.name, made);
    const found = new Set<GraphNode>();
    const open = [node];
    for (let next = open.pop(); next; next = open.pop()) {
      for (const input of next.inputs) {
        const maker = input && makers.get(input.name);
        if (maker && !found.has(maker)) {
          found.add(maker);
          open.push(maker);
        }
      }
    }
    return found;
  }
}
