import { mmmlu } from "./mmmlu.js";
import type { Task } from "./task.js";

/** All tasks; a new one is a file and its name here. */
export const tasks: readonly Task[] = [mmmlu];

const tags: ReadonlyMap<string, string> = new Map(tasks.flatMap(({ languages }) => Object.entries(languages)));

/** What BCP 47 calls a language that sets code as `DE_DE`, `de` or `German`: `de`; a code that no set has is its own tag. */
export const languageTag = (code: string): string => tags.get(code) ?? code.toLowerCase();
