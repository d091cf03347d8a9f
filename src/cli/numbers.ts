import { InvalidArgumentError } from "commander";

/** Reads an option's number. @param words what it must be, for the message: `a share between 0 and 1` */
export const numberOption =
  (holds: (value: number) => boolean, words: string) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || !holds(value)) throw new InvalidArgumentError(words);
    return value;
  };
